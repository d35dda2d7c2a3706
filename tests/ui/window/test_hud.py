"""What surrounds the drawing in the window, on canvases without a window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.data.colors import color_of
from streamer.data.frame import Frame
from streamer.data.result import Result, StageStatus
from streamer.data.track import DepthStats, State, Track
from streamer.ui import drawing
from streamer.ui.window import help_sheet, hud, sidebar
from streamer.ui.window.hud import Pointer, Status
from streamer.ui.window.layout import Layout

FRAME = 320, 180
STAGES = {"masks": StageStatus(age=2), "depth": StageStatus(age=1)}


def make_result(objects=3, depth=True):
    empty = np.zeros((FRAME[1], FRAME[0]), bool)
    states = list(State)
    tracks = tuple(
        Track(number, empty, None, 0.5, states[number % 3], depth=DepthStats(1, 2, 3, now=2) if depth else None)
        for number in range(1, objects + 1)
    )
    image = np.zeros((FRAME[1], FRAME[0], 3), np.uint8)
    ramp = np.tile(np.arange(FRAME[0], dtype=np.float32), (FRAME[1], 1)) if depth else None
    return Result(Frame(0, 0.0, image, 0.0), tracks, ramp, (0.0, 320.0) if depth else None, stages=STAGES)


def render(size=(800, 500), result=None, status=None, pointer=None, side=False, help_open=False, beside=False):
    layout = Layout.fit(size, (FRAME[0] * (1 + side), FRAME[1]), FRAME, beside)
    canvas = np.full((size[1], size[0], 3), 128, np.uint8)
    hud.draw(canvas, layout, result or make_result(), status or Status(), pointer or Pointer(), help_open)
    return canvas, layout


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 900), st.integers(1, 700)),
    objects=st.integers(0, 30),
    depth=st.booleans(),
    side=st.booleans(),
    at=st.none() | st.tuples(st.floats(-50, 950), st.floats(-50, 750)),
    dragged_from=st.none() | st.tuples(st.floats(0, 900), st.floats(0, 700)),
    help_open=st.booleans(),
)
def test_every_canvas_can_be_drawn_on(size, objects, depth, side, at, dragged_from, help_open):
    status = Status(29.9, 21.0, {"masks": "interval"}, "CPU", 1, True, True, True, "saved")
    pointer = Pointer(at, dragged_from, ((5.0, 5.0, 1), (900.0, 2.0, 0)))
    render(size, make_result(objects, depth), status, pointer, side, help_open)


def test_the_picture_between_bars_and_list_is_left_alone():
    canvas, layout = render(result=make_result(0))
    x0, y0, x1, y1 = layout.area
    np.testing.assert_array_equal(canvas[y0:y1, x0:x1], 128)
    assert (canvas[: layout.bar_px] != 128).any()
    assert (canvas[-layout.bar_px :] != 128).any()


def test_the_list_shows_color_and_state_of_as_many_objects_as_fit():
    result = make_result(40)
    canvas, layout = render(result=result)
    rows = sidebar.list_rows(layout, result.tracks)
    assert 5 < len(rows) < 40
    for (x0, y0, x1, y1), object_id in rows:
        assert layout.bar_px <= y0
        assert y1 <= 500 - layout.bar_px
        row = canvas[y0:y1, x0:x1].astype(int)
        assert (np.abs(row - color_of(object_id)).max(axis=2) < 20).any()
        state = {State.TRACKED: drawing.GREEN, State.UNCERTAIN: drawing.AMBER, State.LOST: drawing.RED}[
            result.tracks[object_id - 1].state
        ]
        assert (np.abs(row - state).max(axis=2) < 40).any()


def test_labels_have_a_line_of_their_own_in_the_list(monkeypatch):
    plain = make_result()
    named = replace(plain, tracks=(replace(plain.tracks[0], label="red ball"), *plain.tracks[1:]))
    texts = []
    monkeypatch.setattr(drawing, "write", lambda image, text, *_: texts.append(text))
    _, layout = render(result=named)
    assert "red ball" in texts
    (low, high) = (sidebar.list_rows(layout, result.tracks)[0][0] for result in (plain, named))
    assert high[3] - high[1] > 1.5 * (low[3] - low[1])


def test_the_selected_object_stands_out():
    plain, layout = render()
    selected, _ = render(status=Status(selected=2))
    changed = np.argwhere((plain != selected).any(axis=2))
    rows = {object_id: box for box, object_id in sidebar.list_rows(layout, make_result().tracks)}
    x0, y0, x1, y1 = rows[2]
    in_list = changed[(changed[:, 0] >= layout.bar_px) & (changed[:, 0] < 500 - layout.bar_px)]
    assert in_list.min(axis=0) == pytest.approx((y0, x0), abs=1)
    assert in_list.max(axis=0) == pytest.approx((y1, x1), abs=2)


@pytest.mark.parametrize(
    "status",
    [
        Status(paused=True),
        Status(stalled=True),
        Status(recording=True),
        Status(rate_hz=30.0),
        Status(latency_ms=9.0),
        Status(reasons={"masks": "forced"}),
        Status(device="CPU"),
    ],
)
def test_every_state_and_reading_is_in_the_top_bar(status):
    plain, layout = render()
    changed, _ = render(status=status)
    assert (plain != changed)[: layout.bar_px].any()
    np.testing.assert_array_equal(plain[layout.bar_px :], changed[layout.bar_px :])


def test_depth_under_the_mouse_is_read_on_either_half(monkeypatch):
    texts = []
    monkeypatch.setattr(drawing, "write", lambda image, text, *_: texts.append(text))
    layout = Layout.fit((800, 500), (2 * FRAME[0], FRAME[1]), FRAME)
    for half in layout.halves:
        render(pointer=Pointer(layout.to_canvas((100, 50), half)), side=True)
        assert "x 100  y 50  depth 100.00" in texts
        texts.clear()


def test_a_rubber_band_shows_on_both_halves():
    layout = Layout.fit((800, 500), (2 * FRAME[0], FRAME[1]), FRAME)
    start, end = layout.to_canvas((150, 20)), layout.to_canvas((300, 150))
    plain, _ = render(result=make_result(0), side=True)
    canvas, _ = render(result=make_result(0), pointer=Pointer(end, start), side=True)
    for half in layout.halves:
        x, y = layout.to_canvas((150, 85), half)
        assert (canvas[round(y), round(x)] != plain[round(y), round(x)]).any()


@pytest.mark.parametrize("size", [(600, 200), (480, 280), (320, 240), (1600, 500), (800, 1200)])
def test_the_help_sheet_is_never_cut(monkeypatch, size):
    written = []
    monkeypatch.setattr(
        drawing, "write", lambda image, text, left, baseline, height, *_: written.append((text, left, baseline, height))
    )
    layout = Layout.fit(size, FRAME, FRAME)
    help_sheet.draw(np.zeros((size[1], size[0], 3), np.uint8), layout)
    assert {text for text, *_ in written} == {word for row in (*help_sheet.KEYS, *help_sheet.FIGURES) for word in row}
    for text, left, baseline, height in written:
        assert left >= 0
        assert left + drawing.text_width(text, height) <= size[0]
        assert height <= baseline <= size[1]


def test_every_key_of_the_window_is_on_the_help_sheet():
    from streamer.ui.window.window import _KEYS

    told = " ".join(keys for keys, _ in help_sheet.KEYS)
    letters = {chr(code) for code in _KEYS if 33 <= code < 127}
    assert all(letter in told for letter in letters)


def test_the_sidebar_leaves_the_picture_whole():
    bare, layout = render((1200, 600), make_result(0), beside=True)
    full, _ = render((1200, 600), make_result(5), Status(selected=2), beside=True)
    changed = (bare != full).any(axis=2)
    assert changed[:, : layout.sidebar_px].any()
    x0, y0, x1, y1 = layout.area
    assert not changed[y0:y1, x0:x1].any(), "the list hides a part of the picture"


def test_the_depth_inside_the_selected_object_stands_in_the_sidebar(monkeypatch):
    texts = []
    monkeypatch.setattr(drawing, "write", lambda image, text, *_: texts.append(text))
    result = make_result(3)
    mask = np.zeros((FRAME[1], FRAME[0]), bool)
    mask[50:100, 100:201] = True
    seen = replace(result.tracks[0], mask=mask, box_xyxy=(100, 50, 201, 100))
    result = replace(result, tracks=(seen, *result.tracks[1:]))
    canvas, layout = render((1200, 600), result, Status(selected=1), beside=True)
    assert {"depth inside object 1", "median 150.00, larger is nearer", "half of it 125.00 to 175.00"} <= set(texts)
    assert {"0.00", "320.00"} <= set(texts), "the limits of the histogram"
    chart = canvas[layout.canvas_size[1] - layout.bar_px - 8 * layout.letter_px :, : layout.sidebar_px]
    assert (chart == drawing.WHITE).all(axis=2).any(), "the median is marked"


def test_what_is_awaited_stands_on_the_picture(monkeypatch):
    plain, layout = render(result=make_result(0))
    told, _ = render(result=make_result(0), status=Status(awaited="looking for objects"))
    x0, y0, x1, y1 = layout.area
    assert (plain != told)[y0:y1, x0:x1].any()
