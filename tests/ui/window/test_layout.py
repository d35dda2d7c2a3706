"""From the canvas to the frame and back, at every size of the window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.ui.window.layout import Layout

sizes = st.tuples(st.integers(64, 2600), st.integers(64, 1600))


@given(canvas=sizes, frame=sizes, side=st.booleans(), sidebar=st.booleans())
def test_the_drawing_keeps_its_aspect_and_lies_between_the_bars_and_beside_the_sidebar(canvas, frame, side, sidebar):
    drawing = frame[0] * (1 + side), frame[1]
    layout = Layout.fit(canvas, drawing, frame, sidebar)
    x0, y0, x1, y1 = layout.area
    assert layout.sidebar_px <= 0.36 * canvas[0]
    assert layout.sidebar_px <= x0 < x1 <= canvas[0]
    assert layout.bar_px <= y0 < y1 <= max(canvas[1] - layout.bar_px, y0 + 1)
    assert abs((x1 - x0) * drawing[1] - (y1 - y0) * drawing[0]) <= max(drawing)


@given(canvas=sizes, frame=sizes, side=st.booleans(), at=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)))
def test_a_pixel_goes_to_the_canvas_and_back_from_either_half(canvas, frame, side, at):
    layout = Layout.fit(canvas, (frame[0] * (1 + side), frame[1]), frame)
    pixel = at[0] * (frame[0] - 1), at[1] * (frame[1] - 1)
    assert len(layout.halves) == 1 + side
    for half in layout.halves:
        assert layout.to_frame(layout.to_canvas(pixel, half)) == pytest.approx(pixel, abs=1e-6 * max(frame) + 0.01)


@given(canvas=sizes, frame=sizes, at=st.tuples(st.floats(-500, 3000), st.floats(-500, 3000)))
def test_every_point_of_the_canvas_maps_to_a_pixel_of_the_frame(canvas, frame, at):
    x, y = Layout.fit(canvas, (2 * frame[0], frame[1]), frame).to_frame(at)
    assert 0 <= x <= frame[0] - 1
    assert 0 <= y <= frame[1] - 1


def test_a_drag_stays_on_the_half_where_it_began():
    layout = Layout.fit((1280, 776), (1280, 360), (640, 360))
    start, end = layout.to_canvas((600, 100)), layout.to_canvas((20, 200), 640)
    assert layout.to_frame(end) == pytest.approx((20, 200), abs=0.5)
    assert layout.to_frame(end, start) == pytest.approx((639, 200), abs=0.5)


def test_the_first_canvas_shows_a_usual_frame_pixel_for_pixel():
    canvas = Layout.first((1280, 720))
    assert Layout.fit(canvas, (1280, 720), (1280, 720)).scale == 1
    assert max(Layout.first((7680, 2160))) <= 1680
    assert min(Layout.first((64, 48))) >= 280


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (2560, 720), (1080, 1920)])
def test_the_first_canvas_has_the_sidebar_beside_the_picture(size):
    canvas = Layout.first(size, sidebar=True)
    layout = Layout.fit(canvas, size, size, sidebar=True)
    assert canvas[0] <= 1680
    x0, y0, x1, y1 = layout.area
    assert 0 < layout.sidebar_px <= x0
    filled = (x1 - x0) * (y1 - y0) / ((canvas[0] - layout.sidebar_px) * (canvas[1] - 2 * layout.bar_px))
    assert filled > 0.95, "the picture fills what the sidebar leaves"
    assert size != (1280, 720) or layout.scale == 1
