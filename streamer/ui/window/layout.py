"""Where things lie in the window: from pixels of the canvas to pixels of the frame, and back."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.ui.drawing import Box

Point = tuple[float, float]

_SCREEN_PX = (1680, 860)
_LEAST_PX = (480, 280)
_SIDEBAR_LETTERS = 21
_SIDEBAR_SHARE = 0.36
"""Of the width of the canvas: where the sidebar would take more, there is none."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the drawing lies on a canvas: as large as it goes between the bars, its aspect kept.

    Attributes:
        canvas_size, drawing_size, frame_size: (width, height) [px]; a drawing wider than the frame has depth beside.
        bar_px: Height of the bars at the top and the bottom.
        sidebar_px: Width of the sidebar at the left; 0 where there is none.
        area: The drawing on the canvas, x0, y0, x1, y1.
    """

    canvas_size: tuple[int, int]
    drawing_size: tuple[int, int]
    frame_size: tuple[int, int]
    bar_px: int
    sidebar_px: int
    area: Box

    @classmethod
    def fit(
        cls,
        canvas_size: tuple[int, int],
        drawing_size: tuple[int, int],
        frame_size: tuple[int, int],
        sidebar: bool = False,
    ) -> Layout:
        bar_px, sidebar_px = _bar_px(canvas_size), _sidebar_px(canvas_size) if sidebar else 0
        if sidebar_px > _SIDEBAR_SHARE * canvas_size[0]:
            sidebar_px = 0
        room = canvas_size[0] - sidebar_px, max(1, canvas_size[1] - 2 * bar_px)
        scale = min(room[0] / drawing_size[0], room[1] / drawing_size[1])
        width, height = max(1, round(drawing_size[0] * scale)), max(1, round(drawing_size[1] * scale))
        x0, y0 = sidebar_px + (room[0] - width) // 2, bar_px + (room[1] - height) // 2
        return cls(canvas_size, drawing_size, frame_size, bar_px, sidebar_px, (x0, y0, x0 + width, y0 + height))

    @classmethod
    def first(cls, drawing_size: tuple[int, int], sidebar: bool = False) -> tuple[int, int]:
        """(width, height) of a canvas that shows drawings of this size as they are, if a usual screen has the room."""
        widest = _SCREEN_PX[0] - (_sidebar_px(_SCREEN_PX) if sidebar else 0)
        scale = min(1.0, widest / drawing_size[0], _SCREEN_PX[1] / drawing_size[1])
        shown = max(_LEAST_PX[0], round(drawing_size[0] * scale)), max(_LEAST_PX[1], round(drawing_size[1] * scale))
        canvas = shown
        for _ in range(4):  # the letters grow with the canvas, and bars and sidebar with the letters
            canvas = shown[0] + (_sidebar_px(canvas) if sidebar else 0), shown[1] + 2 * _bar_px(canvas)
        return canvas

    @property
    def letter_px(self) -> int:
        return letter_px_of(self.canvas_size)

    @property
    def baselines(self) -> tuple[int, int]:
        """Where letters stand in the bar at the top, and in that at the bottom [px]."""
        baseline = self.bar_px // 2 + round(0.37 * self.letter_px)
        return baseline, self.canvas_size[1] - self.bar_px + baseline

    @property
    def scale(self) -> float:
        """Pixels of the canvas for one of the frame."""
        return (self.area[2] - self.area[0]) / self.drawing_size[0]

    @property
    def halves(self) -> range:
        """Left edges of the picture and, where there is one, of the depth beside it, in pixels of the drawing."""
        return range(0, self.drawing_size[0], self.frame_size[0])

    def covers(self, point: Point) -> bool:
        """Whether a point of the canvas lies on the drawing."""
        x0, y0, x1, y1 = self.area
        return x0 <= point[0] < x1 and y0 <= point[1] < y1

    def to_frame(self, point: Point, start: Point | None = None) -> Point:
        """The pixel of the frame under a point of the canvas, on either half; the nearest one where it lies outside.

        Args:
            point: (x, y) on the canvas.
            start: Where a drag began: the point is taken to lie on the same half.
        """
        width, height = self.frame_size
        half = self._half_at(start or point)
        x = (point[0] + 0.5 - self.area[0]) / self.scale - half - 0.5
        y = (point[1] + 0.5 - self.area[1]) / self.scale - 0.5
        return min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)

    def _half_at(self, point: Point) -> int:
        x = (point[0] + 0.5 - self.area[0]) / self.scale
        return max((half for half in self.halves if half <= x), default=0)

    def to_canvas(self, point: Point, half: int = 0) -> Point:
        """Where a pixel of the frame lies on the canvas; ``half`` is one of :attr:`halves`."""
        return (
            (point[0] + 0.5 + half) * self.scale + self.area[0] - 0.5,
            (point[1] + 0.5) * self.scale + self.area[1] - 0.5,
        )


def letter_px_of(canvas_size: tuple[int, int]) -> int:
    return min(28, max(10, round(0.0145 * (canvas_size[0] * canvas_size[1]) ** 0.5)))


def _bar_px(canvas_size: tuple[int, int]) -> int:
    return 2 * letter_px_of(canvas_size)


def _sidebar_px(canvas_size: tuple[int, int]) -> int:
    return _SIDEBAR_LETTERS * letter_px_of(canvas_size)
