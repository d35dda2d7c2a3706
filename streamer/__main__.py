"""``python -m streamer``, and the ``streamer`` command."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import sys

from streamer.data.running import anything_running
from streamer.errors import StreamerError


def main() -> None:
    """Run the command line; errors meant for people become one line and an exit code."""
    if sys.argv[1:2] == ["live"]:  # a service, which SIGTERM ends as it is meant to from its first moment
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        from streamer.cli import app  # not above: Ctrl-C while it is imported is Ctrl-C as well

        app(arguments, prog_name="streamer")
    except StreamerError as error:
        if debug:
            raise
        print(f"streamer: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        if debug:
            raise
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            print("streamer: A name is longer than the disk takes (255 bytes): choose a shorter one.", file=sys.stderr)
            sys.exit(2)
        print(
            f"streamer: something went wrong inside streamer ({type(error).__name__}: {error}): "
            "run it again with --debug to see where.",
            file=sys.stderr,
        )
        sys.exit(2)


def program() -> None:
    """The whole life of the process: `main`, and an end that waits for no model.

    A model call cannot be interrupted, and the interpreter, when it ends, stops threads in a way that torch answers by
    aborting; and where none is under way it takes torch apart for a second. Everything that matters is closed by now.
    """
    try:
        main()
    except SystemExit as end:
        leave(end)


def leave(end: SystemExit) -> None:
    """End as `SystemExit` would; at once where there are models, and without what waits for those still at work.

    Raises:
        SystemExit: There are none, so that the interpreter may end in its own way.
    """
    if not anything_running():
        if "torch" not in sys.modules:
            raise end
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    program()
