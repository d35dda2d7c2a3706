"""One window for several runs, which is there before the models are."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.session.loading import frames_until
from streamer.session.playback import open_window
from streamer.sources.reader import Reader
from streamer.ui.drawing import BACKGROUND
from streamer.ui.overlay import draw
from streamer.ui.view import View
from streamer.ui.window.events import Event, Quit
from streamer.ui.window.hud import Status

if TYPE_CHECKING:
    from streamer.ui.window.window import Window


class LiveWindow:
    """A :class:`streamer.session.session.Screen` that opens with the first run and outlives it: only `shut` closes it.

    Args:
        view: What the person has chosen to see.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._window: Window | None = None

    def begin(self, info: SourceInfo) -> None:
        """Show this source from now on.

        Raises:
            DisplayError: No window can be shown here.
        """
        if self._window is None:
            self._window = open_window(info, self._view.style)
        else:
            self._window.rename(f"streamer: {info.name}")

    def while_loading(self, reader: Reader, loaded_within: Callable[[float], bool]) -> None:
        """Show what there is until the models are loaded, or the person closes the window."""
        width, height = reader.info.size
        result = Result(Frame(0, 0.0, np.full((height, width, 3), BACKGROUND, np.uint8), time.monotonic()))
        for frame in frames_until(loaded_within, reader):
            if self._view.quit:
                break
            result = result if frame is None else Result(frame)
            self.show(draw(result, self._view.style), result, Status(awaited="loading models"))
            self._view.quit = any(isinstance(event, Quit) for event in self.poll())

    def show(self, drawing: NDArray[np.uint8], result: Result, status: Status | None = None) -> None:
        """See `Screen`."""
        if self._window is not None:
            self._window.show(drawing, result, status)

    def poll(self, wait_ms: int = 1) -> list[Event]:
        """See `Screen`."""
        return [] if self._window is None else self._window.poll(wait_ms)

    def close(self) -> None:
        """A run has ended: the window stays for the next one."""

    def shut(self) -> None:
        """Take it off the desktop."""
        if self._window is not None:
            self._window.close()
