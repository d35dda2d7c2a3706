"""``python -m streamer``, and the ``streamer`` command."""

from __future__ import annotations

import sys

from streamer.errors import StreamerError


def main() -> None:
    """Run the command line; errors meant for people become one line and an exit code."""
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
        print(
            f"streamer: something went wrong inside streamer ({type(error).__name__}: {error}): "
            "run it again with --debug to see where.",
            file=sys.stderr,
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
