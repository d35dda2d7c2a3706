"""The line into which a person types what to find: "person; red ball"."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.ui import drawing
from streamer.ui.window.events import Event, ForgetPhrases, LookFor
from streamer.ui.window.layout import Layout

OPEN = ord("/")
_RETURNS, _ESCAPE, _BACKSPACES = (10, 13), 27, (8, 127)
_HINT = "find: "


@dataclass(slots=True)
class PhraseLine:
    """What has been typed so far; None while the line is closed."""

    text: str | None = None

    def key(self, code: int) -> Event | None:
        """Take in a key while the line is open. Returns what the person wants once they have pressed enter.

        Escape closes the line; an empty line forgets all phrases.
        """
        if self.text is None:
            return None
        if code in _RETURNS:
            said, self.text = self.text.strip(), None
            return LookFor(said) if said else ForgetPhrases()
        if code == _ESCAPE:
            self.text = None
        elif code in _BACKSPACES:
            self.text = self.text[:-1]
        elif 32 <= code < 127:
            self.text += chr(code)
        return None

    def draw(self, canvas: drawing.Image, layout: Layout) -> None:
        """Draw the line over the lower bar of a ``(H, W, 3)`` RGB canvas, its end in sight however long it is."""
        if self.text is None:
            return
        width, height = layout.canvas_size
        letter_px = layout.letter_px
        canvas[height - layout.bar_px :] = drawing.INK
        _, baseline = layout.baselines
        left = letter_px + drawing.text_width(_HINT, letter_px)
        shown = f"{self.text}_"
        while len(shown) > 1 and left + drawing.text_width(shown, letter_px) > width - letter_px:
            shown = shown[1:]
        drawing.write(canvas, _HINT, letter_px, baseline, letter_px, drawing.AMBER)
        drawing.write(canvas, shown, left, baseline, letter_px)
