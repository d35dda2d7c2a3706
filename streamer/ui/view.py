"""What a person sees of a run, and has chosen to see."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from streamer.data.result import Result
from streamer.ui.overlay import Style
from streamer.ui.parameters import DepthPlace

_MESSAGE_S = 3.0


@dataclass(slots=True)
class View:
    """The state of the window and of whoever sits in front of it.

    Attributes:
        style: How results are drawn.
        result: The result that is shown; None before the first.
        selected: Object that the next clicks belong to; None for a new one.
        paused: Whether the frame is held.
        quit: Whether the run shall end.
        ended: Whether the source has ended, and its last frame is held.
        replayable: Whether what has ended can be played again.
        page, pages: Which of several sources this is, from 0, and how many there are.
        turn: So many sources further on the person wants to be; 0 plays this one again, None stays.
        clock: Monotonic clock [s].
    """

    style: Style = field(default_factory=Style)
    result: Result | None = None
    selected: int | None = None
    paused: bool = False
    quit: bool = False
    ended: bool = False
    replayable: bool = False
    page: int = 0
    pages: int = 1
    turn: int | None = None
    clock: Callable[[], float] = time.monotonic
    _message: str = ""
    _until_s: float = -float("inf")

    @property
    def held(self) -> bool:
        """Whether the same frame stays on the screen."""
        return self.paused or self.ended

    @property
    def message(self) -> str:
        """The last short line for the person; empty once it has been there for long enough."""
        return self._message if self.clock() < self._until_s else ""

    def begin(self, page: int, replayable: bool) -> None:
        """Turn to this source, from its first frame; what was chosen to be seen stays."""
        self.page, self.replayable = page, replayable
        self.result = self.selected = self.turn = None
        self.paused = self.ended = False

    def show(self, result: Result) -> None:
        """Make this the result that is shown; an object that is gone is selected no longer."""
        self.result = result
        if self.selected not in {track.id for track in result.tracks}:
            self.selected = None

    def look(self, masks: bool, depth: DepthPlace) -> None:
        """Choose what is drawn."""
        self.style = replace(self.style, masks=masks, depth=depth)

    def tell(self, message: str) -> None:
        """Show a short line for some seconds."""
        self._message, self._until_s = message, self.clock() + _MESSAGE_S
