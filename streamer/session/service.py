"""A live run that is left alone: it waits for its source, tells its supervisor, and takes up prompts that change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from streamer.data.prompts_file import read_prompts_file
from streamer.data.result import Result
from streamer.engine import Run
from streamer.errors import PromptError, SourceError
from streamer.session.playback import Playback, Report
from streamer.terminal.console import Terminal
from streamer.terminal.service import Supervisor
from streamer.terminal.stopping import Stop

_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """How a live run behaves that nobody watches over.

    Attributes:
        wait: Whether to wait for a source that is not there yet.
        prompts_file: Read again when SIGHUP comes; None where there is none.
        json_log: Whether what is said to the person is JSON, on the standard error.
        supervisor: Told that the run is alive.
    """

    wait: bool = False
    prompts_file: Path | None = None
    json_log: bool = False
    supervisor: Supervisor = field(default_factory=Supervisor)

    @contextmanager
    def opened(
        self, open_it: Callable[[], AbstractContextManager[Run]], stop: Stop, terminal: Terminal
    ) -> Iterator[Run | None]:
        """The run of a source, as soon as that is there if it may be waited for; None where the end came before.

        Raises:
            SourceError: It is not there, and is not to be waited for.
        """
        with ExitStack() as stack:
            yield self._wait_for(lambda: stack.enter_context(open_it()), stop, terminal)

    def _wait_for(self, open_it: Callable[[], Run], stop: Stop, terminal: Terminal) -> Run | None:
        said = False
        while True:
            try:
                return open_it()
            except SourceError as error:
                if not self.wait:
                    raise
                if not said:
                    terminal.say(f"Waiting for the source. {error}")
                said = True
                self.supervisor.alive("waiting for the source")
                stop.wait(_RETRY_S)
                if stop.signalled:
                    return None

    def report(self, inner: Report, run: Run, stop: Stop, terminal: Terminal) -> Report:
        """A report that does all this besides."""

        def report(playback: Playback, result: Result | None) -> None:
            inner(playback, result)
            self.supervisor.alive(f"{run.reader.state}, {playback.frames_shown} frames")
            if stop.take_reload():
                self._reload(run, playback.view.result, terminal)

        return report

    def _reload(self, run: Run, shown: Result | None, terminal: Terminal) -> None:
        """Follow what the file says now, and nothing else. The objects get new numbers: those of before are others."""
        if self.prompts_file is None:
            terminal.warn("SIGHUP: there is no file with prompts to read again; name one with --prompts.")
            return
        try:
            prompts = read_prompts_file(self.prompts_file)
        except PromptError as error:
            terminal.warn(f"{error} What was followed is followed on.")
            return
        for track in shown.tracks if shown is not None else ():
            run.pipeline.remove(track.id)
        for prompt in prompts:
            try:
                run.pipeline.prompt(replace(prompt, object_id=None))
            except PromptError as error:
                terminal.warn(str(error))
        terminal.say(f"Following {len(prompts)} objects of {self.prompts_file}.")
