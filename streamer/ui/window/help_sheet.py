"""What the keys do and what the figures mean, on one sheet that fits every window."""

from __future__ import annotations

from streamer.ui import drawing
from streamer.ui.window.layout import Layout

KEYS = (
    ("left click", "this belongs to the object"),
    ("right click", "this does not"),
    ("drag", "a box around an object"),
    ("n", "next click begins a new object"),
    ("tab", "a part, the whole, whatever is surest"),
    ("1-9", "select an object (or click the list)"),
    ("/", "find by words; an empty line forgets"),
    ("d, del", "delete the selected object"),
    ("u", "undo"),
    ("space", "pause, go on; at the end: again"),
    (", .", "picture before, next picture"),
    ("m", "masks on, off"),
    ("t", "depth off, over, beside"),
    ("c", "type the distance of what is here"),
    ("o", "objects and depth figures on, off"),
    ("s", "save the picture that is shown"),
    ("r", "record on, off"),
    ("k", "look at this frame now"),
    ("h, ?", "this sheet"),
    ("q, esc", "quit"),
)
FIGURES = (
    ("0.86", "how sure, from 0 to 1"),
    ("depth 1.48", "median inside: larger is nearer;"),
    ("depth 1.48 m", "meters, if metric or calibrated"),
)
_LEAST_PX = 6
_SPACING = 1.8
"""Of lines, in letters."""
_MARGIN = 1.5
"""Around each column, in letters."""


def draw(canvas: drawing.Image, layout: Layout) -> None:
    """Draw the sheet over a ``(H, W, 3)`` RGB canvas, in as many columns as make its letters largest."""
    rows = [*KEYS, *FIGURES]
    size = layout.canvas_size
    columns, letter_px = max(
        ((count, _letter_px(rows, count, layout)) for count in (1, 2, 3)), key=lambda pair: pair[1]
    )
    per_column = -(-len(rows) // columns)
    keys_px, column_px = _widths(rows, letter_px)
    width = columns * column_px
    height = round((per_column * _SPACING + 1) * letter_px)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    drawing.panel(canvas, (left, top, left + width, top + height), drawing.INK, 0.92, letter_px)
    for at, (keys, meaning) in enumerate(rows):
        x = left + at // per_column * column_px + round(_MARGIN / 2 * letter_px)
        baseline = top + round(letter_px * (_SPACING * (at % per_column) + 1.8))
        drawing.write(canvas, keys, x, baseline, letter_px, drawing.AMBER)
        drawing.write(canvas, meaning, x + keys_px, baseline, letter_px)


def _letter_px(rows: list[tuple[str, str]], columns: int, layout: Layout) -> int:
    """The largest letters with which so many columns fit on the canvas, at most the layout's own."""
    width, height = layout.canvas_size
    per_column = -(-len(rows) // columns)
    fitting = [
        letter_px
        for letter_px in range(_LEAST_PX, layout.letter_px + 1)
        if (per_column * _SPACING + 1) * letter_px <= height and columns * _widths(rows, letter_px)[1] <= width
    ]
    return max(fitting, default=_LEAST_PX - columns)  # where nothing fits, one column is cut least


def _widths(rows: list[tuple[str, str]], letter_px: int) -> tuple[int, int]:
    """Of the keys, and of a whole column with its margin [px]."""
    keys_px = max(drawing.text_width(keys, letter_px) for keys, _ in rows) + letter_px
    meaning_px = max(drawing.text_width(meaning, letter_px) for _, meaning in rows)
    return keys_px, keys_px + meaning_px + round(_MARGIN * letter_px)
