"""Drawings: what is colored, what is left alone, and that every size works."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.data.colors import color_of
from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.result import Result
from streamer.data.track import DepthStats, State, Track
from streamer.ui import drawing, outlines
from streamer.ui.overlay import Overlay, Style, caption, draw, drawing_size, free_place, inset_box, normalize_depth
from streamer.ui.parameters import OverlayParameters

BARE = Style(labels=False, points=False)


def make_track(mask, object_id=1, state=State.TRACKED, points=(), labels=(), depth=None):
    coords = np.array(points, np.float32).reshape(-1, 2)
    return Track(object_id, mask, box_of(mask), 0.9, state, coords, np.array(labels, np.int32), depth)


def make_result(size=(160, 120), tracks=(), depth=True, seed=0):
    width, height = size
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ramp = np.tile(np.linspace(1, 3, width, dtype=np.float32), (height, 1)) if depth else None
    return Result(Frame(0, 0.0, image, 0.0), tuple(tracks), ramp, (1.0, 3.0) if depth else None)


def ellipse(size=(160, 120), center=(0.5, 0.5), radii=(0.25, 0.25)):
    mask = np.zeros((size[1], size[0]), np.uint8)
    at = round(center[0] * size[0]), round(center[1] * size[1])
    cv2.ellipse(mask, at, (max(1, round(radii[0] * size[0])), max(1, round(radii[1] * size[1]))), 0, 0, 360, 1, -1)
    return mask.astype(bool)


def grown(mask, px):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1), np.uint8)).astype(bool)


def test_pixels_away_from_the_mask_are_those_of_the_frame():
    mask = ellipse()
    result = make_result(tracks=[make_track(mask)])
    drawing = draw(result, BARE)
    away = ~grown(mask, 3)
    np.testing.assert_array_equal(drawing[away], result.frame.image_rgb[away])
    assert (drawing[mask] != result.frame.image_rgb[mask]).any(axis=1).mean() > 0.95


@pytest.mark.parametrize("opacity", [0.0, 0.3, 1.0])
def test_the_fill_is_blended_with_its_opacity(opacity):
    mask = ellipse()
    result = make_result(tracks=[make_track(mask, 4)])
    drawn = draw(result, Style(mask_opacity=opacity, labels=False, points=False))
    inside = ~grown(~mask, 5)
    expected = (1 - opacity) * result.frame.image_rgb[inside] + opacity * np.array(color_of(4))
    assert np.abs(drawn[inside] - expected).max() <= 1.5


def test_the_frame_itself_is_never_written_into():
    result = make_result(tracks=[make_track(ellipse(), points=[(80, 60)], labels=[1])])
    before = result.frame.image_rgb.copy()
    for depth in ("off", "overlay", "inset", "side"):
        draw(result, Style(depth=depth, boxes=True))
    np.testing.assert_array_equal(result.frame.image_rgb, before)


def test_nothing_to_draw_gives_the_frame_back():
    result = make_result(depth=False)
    np.testing.assert_array_equal(draw(result, Style()), result.frame.image_rgb)
    hidden = make_result(tracks=[make_track(ellipse(), points=[(80, 60)], labels=[1])])
    np.testing.assert_array_equal(draw(hidden, Style(masks=False)), hidden.frame.image_rgb)


def test_lost_objects_are_not_drawn():
    lost = make_track(np.zeros((120, 160), bool), state=State.LOST, points=[(80, 60)], labels=[1])
    result = make_result(tracks=[lost])
    np.testing.assert_array_equal(draw(result, Style()), result.frame.image_rgb)


@pytest.mark.parametrize(("state", "regions"), [(State.TRACKED, 2), (State.UNCERTAIN, 1)])
@pytest.mark.parametrize("size", [(160, 120), (640, 480), (1920, 1080)])
def test_an_outline_is_closed_and_has_gaps_where_the_object_is_uncertain(size, state, regions):
    result = make_result(size, [make_track(ellipse(size), 1, state)])
    drawing = draw(result, Style(mask_opacity=0, labels=False, points=False))
    untouched = (drawing == result.frame.image_rgb).all(axis=2)
    count, _, areas, _ = cv2.connectedComponentsWithStats(untouched.astype(np.uint8), connectivity=4)
    large = areas[1:count, cv2.CC_STAT_AREA] > 100
    assert large.sum() == regions


def test_an_uncertain_object_is_filled_half_as_strongly():
    mask = ellipse()
    inside = ~grown(~mask, 5)

    def strength(state):
        result = make_result(tracks=[make_track(mask, 1, state)])
        return np.abs(draw(result, BARE)[inside].astype(int) - result.frame.image_rgb[inside]).mean()

    assert strength(State.UNCERTAIN) == pytest.approx(strength(State.TRACKED) / 2, rel=0.05)


@pytest.mark.parametrize(("depth", "width"), [("off", 160), ("overlay", 160), ("inset", 160), ("side", 320)])
@pytest.mark.parametrize("has_depth", [True, False])
def test_the_size_of_a_drawing_depends_on_the_style_alone(depth, width, has_depth):
    style = Style(depth=depth)
    drawing = draw(make_result(depth=has_depth), style)
    assert drawing.shape == (120, width, 3)
    assert drawing.dtype == np.uint8
    assert drawing_size((160, 120), style) == (width, 120)


def test_depth_beside_the_picture_goes_from_dark_and_far_to_bright_and_near():
    drawing = draw(make_result(), Style(depth="side"))
    np.testing.assert_array_equal(drawing[:, :160], make_result().frame.image_rgb)
    lightness = cv2.cvtColor(drawing[:, 160:], cv2.COLOR_RGB2LAB)[10, :, 0].astype(int)
    assert (np.diff(lightness) >= -1).all()
    assert lightness[-1] - lightness[0] > 200


@pytest.mark.parametrize("has_depth", [True, False])
def test_depth_as_an_inset_is_what_lies_beside_in_small_and_hides_nothing_else(has_depth):
    size = 640, 480
    result = make_result(size, [make_track(ellipse(size), points=[(320, 240)], labels=[1])], depth=has_depth)
    inset, beside = (draw(result, Style(depth=depth, labels=False)) for depth in ("inset", "side"))
    x0, y0, x1, y1 = inset_box(size)
    assert 0.15 < (x1 - x0) * (y1 - y0) / (640 * 480) < 0.17
    small = cv2.resize(beside[:, 640:], (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(int)
    left = np.s_[:, : (x1 - x0) // 2]  # the scale has letters of its own
    assert np.abs(inset[y0:y1, x0:x1].astype(int) - small)[left].mean() < 8
    away = np.ones((480, 640), bool)
    away[y0 - 2 :, x0 - 2 :] = False
    np.testing.assert_array_equal(inset[away], beside[:, :640][away])


def test_labels_keep_clear_of_the_inset():
    size = 640, 480
    x0, y0, x1, y1 = inset_box(size)
    mask = np.zeros((480, 640), bool)
    mask[y0 + 2 : y1, x0 + 20 : x1 - 20] = True
    result = make_result(size, [make_track(mask)])
    drawn, bare = (draw(result, Style(depth="inset", labels=labels)) for labels in (True, False))
    np.testing.assert_array_equal(drawn[y0:y1, x0:x1], bare[y0:y1, x0:x1])
    assert (drawn != bare).any()


def test_depth_lies_beside_what_is_watched_and_in_the_corner_of_what_is_only_written():
    assert Style.of(OverlayParameters()).depth == "side"
    assert Style.of(OverlayParameters(), watched=False).depth == "inset"
    assert Style.of(OverlayParameters(), depth=False, watched=False).depth == "off"
    assert Style.of(OverlayParameters(depth="side"), watched=False).depth == "side"


def test_a_depth_map_of_half_the_size_is_drawn_at_the_size_of_the_frame():
    whole = make_result()
    half = replace(whole, depth_map=whole.depth_map[::2, ::2])
    drawings = [draw(result, Style(depth="side")).astype(int) for result in (whole, half)]
    assert np.abs(drawings[0] - drawings[1])[:, 160:].mean() < 2


def test_depth_outside_of_its_range_is_clipped():
    result = make_result()
    stretched = Result(result.frame, (), result.depth_map * 3 - 4, (0.0, 1.0))
    gray = normalize_depth(stretched)
    np.testing.assert_array_equal(gray[stretched.depth_map <= 0], 0)
    np.testing.assert_array_equal(gray[stretched.depth_map >= 1], 255)
    assert normalize_depth(make_result(depth=False)) is None


def test_depth_over_the_picture_is_blended():
    result = make_result()
    plain, half, whole = (draw(result, Style(depth="overlay", depth_opacity=opacity)) for opacity in (0.0, 0.5, 1.0))
    away = np.s_[:20, :140]  # where the scale does not lie
    np.testing.assert_array_equal(plain[away], result.frame.image_rgb[away])
    assert np.abs(half[away] - (plain[away] / 2 + whole[away] / 2)).max() <= 1


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    center=st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2)),
    state=st.sampled_from(State),
    depth=st.sampled_from(["off", "overlay", "inset", "side"]),
)
def test_odd_and_tiny_sizes_and_masks_at_the_border_can_be_drawn(size, center, state, depth):
    mask = ellipse(size, center)
    track = make_track(mask, 1, state, [(size[0] - 1, 0)], [0], DepthStats(1, 2, 3, now=2))
    drawing = draw(make_result(size, [track]), Style(depth=depth, boxes=True))
    assert drawing.shape == (size[1], size[0] * (2 if depth == "side" else 1), 3)


@pytest.mark.parametrize("size", [(64, 48), (1280, 720), (720, 1280), (3840, 2160)])
def test_letters_grow_with_the_frame_and_labels_stay_on_it(size):
    tracks = [make_track(ellipse(size, (x, 0.5), (0.1, 0.2)), number) for number, x in enumerate((0.1, 0.5, 0.9), 1)]
    result = make_result(size, tracks)
    labelled = (draw(result, Style(points=False)) != draw(result, BARE)).any(axis=2)
    assert labelled.any() == (size != (64, 48))
    assert labelled.mean() < 0.1
    assert drawing.letter_px((3840, 2160)) == 3 * drawing.letter_px((1280, 720))
    assert drawing.letter_px((1280, 720)) == drawing.letter_px((720, 1280))


@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 440), st.integers(1, 300), st.integers(1, 300)),
        min_size=1,
        max_size=5,
    )
)
def test_labels_lie_on_the_frame_and_do_not_cover_each_other(boxes):
    taken = []
    for x, y, width, height in boxes:
        taken.append(free_place((x, y, x + width, y + height), (110, 24), taken, (640, 480)))
    for x0, y0, x1, y1 in taken:
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 480
    for one, other in combinations(taken, 2):
        across = min(one[2], other[2]) - max(one[0], other[0])
        down = min(one[3], other[3]) - max(one[1], other[1])
        assert across <= 0 or down <= 0


def test_a_caption_says_what_is_known():
    mask = ellipse()
    assert caption(make_track(mask)) == "0.90"
    uncertain = make_track(mask, 1, State.UNCERTAIN, depth=DepthStats(1, 2, 3, now=2))
    assert caption(uncertain) == "uncertain  0.90  depth 2.00"
    assert caption(replace(uncertain, label="dog")) == "dog  uncertain  0.90  depth 2.00"


def test_a_result_is_drawn_once_per_style():
    overlay, result = Overlay(), make_result(tracks=[make_track(ellipse())])
    first = overlay.draw(result, Style())
    assert overlay.draw(result, Style()) is first
    beside = overlay.draw(result, Style(depth="side"))
    assert overlay.draw(result, Style()) is first
    assert beside is not first
    assert overlay.draw(make_result(seed=1), Style()) is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 0


def test_a_mask_of_thousands_of_specks_is_drawn_by_its_largest_pieces():
    mask = np.random.default_rng(0).random((240, 320)) < 0.3
    mask[100:180, 100:200] = True
    track = Track(1, mask, box_of(mask), 0.9, State.TRACKED)
    strokes = list(outlines.strokes(track, 12))
    assert 1 <= len(strokes) <= 12
    assert cv2.contourArea(strokes[0]) > 75 * 95 * 16**2
