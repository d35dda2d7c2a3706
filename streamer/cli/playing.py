"""What every command that plays a source does around it: open, say how it goes, and tell at the end what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.config import Config
from streamer.data.result import Result
from streamer.engine import Engine, Run, Spec
from streamer.errors import DisplayError, PartialError, SinkError
from streamer.session import Report, View
from streamer.sinks.background import BackgroundSink
from streamer.sinks.fanout import Fanout
from streamer.sinks.targets import Targets
from streamer.terminal.console import AnnotateConsole, Terminal
from streamer.terminal.stopping import Stop
from streamer.terminal.telemetry import write_stats
from streamer.ui.overlay import Overlay, Style, drawing_size
from streamer.ui.window.window import Window, display_available


def style_of(config: Config) -> Style:
    """How results are drawn under this config."""
    overlay = config.overlay
    return Style(
        masks=config.segmenter is not None,
        mask_opacity=overlay.mask_opacity,
        depth=overlay.depth if config.depth is not None else "off",
        depth_opacity=overlay.depth_opacity,
    )


def drawer(overlay: Overlay, style: Style) -> Callable[[Result], NDArray[np.uint8]]:
    """Draws in this style for ever: what is being written does not change its size when the window's style does."""
    return partial(overlay.draw, style=style)


def can_show(targets: Targets, terminal: Terminal) -> bool:
    """Whether there is a display; says so where there is none.

    Raises:
        DisplayError: There is none, and nothing is to be written either.
    """
    reason = display_available()
    if reason is None:
        return True
    if not targets:
        raise DisplayError(reason)
    terminal.say(f"{reason.split(':')[0]}: going on without the window.")
    return False


def window_of(run: Run, style: Style) -> Window:
    """A window for a run whose results are drawn in this style at first."""
    return Window(f"streamer: {run.info.name}", drawing_size(run.info.size, style))


@contextmanager
def opened(engine: Engine, source: Spec, terminal: Terminal, **options: Any) -> Iterator[Run]:
    """``engine.open``, with a sign of life while the source answers and the models load."""
    with ExitStack() as stack:
        with terminal.busy("opening the source and loading the models"):
            run = stack.enter_context(engine.open(source, **options))
        yield run


def progress_of(console: AnnotateConsole) -> Report:
    """Reports how many frames are done."""
    return lambda run, result: console.update(run.meter.shown.count)


def advise(config: Config, terminal: Terminal) -> None:
    """Say once that there is better than the bundled models."""
    if config.segmenter is not None and config.segmenter.model == "tiny":
        terminal.say(
            "These were the bundled tiny models; stronger ones: `streamer models pull vit_b`, "
            "`streamer models pull Intel/dpt-hybrid-midas`, then --config sam-b."
        )


@contextmanager
def partly(sinks: Fanout) -> Iterator[None]:
    """An output that fails after it has taken frames is a run that was done in part.

    Raises:
        PartialError: The output failed when part of it was written.
        SinkError: It failed at once.
    """
    try:
        yield
    except SinkError as error:
        if any(isinstance(sink, BackgroundSink) and sink.written for sink in sinks.sinks):
            raise PartialError(str(error)) from error
        raise


def finish(run: Run, sinks: Fanout, targets: Targets, terminal: Terminal, stop: Stop, view: View) -> None:
    """Write the figures, print them, and say what fell short.

    Raises:
        PartialError: Part of the source could not be read, or something could not be written to its end.
    """
    summary = summary_of(run, sinks)
    failures = list(sinks.messages)
    if targets.stats is not None:
        try:
            write_stats(targets.stats, summary)
        except SinkError as error:
            failures.append(str(error))
    for sink in sinks.sinks:
        if isinstance(sink, BackgroundSink) and sink.warning:
            terminal.warn(sink.warning)
    written = ", ".join(targets.written())
    if stop.signalled or view.quit:
        terminal.warn(f"Ended after {run.meter.shown.count} frames, before the source did.")
    terminal.summary(summary, title=f"wrote {written}" if written else "nothing was written")
    if failures:
        raise PartialError(failures[0])
    if run.reader.damage is not None:
        done = f"what could be read is in {written}" if written else "nothing was written"
        raise PartialError(f"{run.reader.damage.rstrip('.')}: {done}; for the rest, get the whole source.")


def summary_of(run: Run, sinks: Fanout) -> dict[str, Any]:
    """The figures of a run, ready for JSON."""
    for sink in sinks.sinks:
        if isinstance(sink, BackgroundSink):
            run.meter.frames_written(sink.name, sink.written)
            run.meter.frames_dropped(f"{sink.name} too slow", sink.dropped)
    return run.summary()
