"""A distance that is being typed: how far the thing under the mouse is."""

from __future__ import annotations

from streamer.ui.window.events import KnownDistance

_ENTER, _ESCAPE, _BACKSPACES = (10, 13), 27, (8, 127)
_LONGEST = 6


class DistanceEntry:
    """Takes keys until it is done.

    Args:
        x, y: The place that is meant, in pixels of the frame.
    """

    def __init__(self, x: float, y: float) -> None:
        self._x, self._y = x, y
        self._typed = ""
        self.done = False

    @property
    def prompt(self) -> str:
        """What the person is asked, with what is typed so far."""
        return f"distance of {self._x:.0f},{self._y:.0f} from the camera: {self._typed}_ m (enter, or esc)"

    def press(self, key: int) -> KnownDistance | None:
        """Take a key. Returns what was meant, once enter is pressed after a number above 0."""
        if key == _ESCAPE:
            self.done = True
        elif key in _BACKSPACES:
            self._typed = self._typed[:-1]
        elif key in _ENTER:
            return self._finish()
        elif chr(key) in "0123456789.," and len(self._typed) < _LONGEST:
            letter = "." if key == ord(",") else chr(key)
            if letter != "." or "." not in self._typed:
                self._typed += letter
        return None

    def _finish(self) -> KnownDistance | None:
        meters = float(self._typed) if self._typed.strip(".") else 0.0
        if meters <= 0:
            return None
        self.done = True
        return KnownDistance(self._x, self._y, meters)
