"""What sinks, the window and the library's user receive."""

import json
from dataclasses import replace

import numpy as np
import pytest

from streamer.data.frame import Frame, StampOrigin
from streamer.data.part import DepthMap, Part
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.data.track import State, Track

FRAME = Frame(3, 0.1, np.zeros((4, 6, 3), np.uint8), 0.0)


def test_a_result_is_short_in_print_however_large_its_maps_are():
    track = Track(2, np.ones((4, 6), bool), (0.0, 0.0, 6.0, 4.0), 0.875, State.UNCERTAIN)
    assert repr(replace(track, label="dog")).startswith("Track(id=2 'dog', uncertain")
    shown = "Track(id=2, uncertain, score=0.88, box_xyxy=(0.0, 0.0, 6.0, 4.0), mask=(4, 6))"
    assert repr(track) == shown
    assert repr(Result(FRAME, (track,))) == f"Result(index=3, time_s=0.100, size=6x4, tracks=[{shown}], no depth)"
    assert repr(Result(FRAME, depth_map=np.ones((4, 6), np.float32))).endswith("tracks=[], depth_map=(4, 6))")


def test_it_knows_the_place_of_its_frame_and_when_it_was_captured():
    frame = replace(FRAME, captured_at_s=12.5, stamp_ns=1_700_000_000_000_000_001, stamp_origin=StampOrigin.PUSHED)
    result = Result(frame)
    assert (result.index, result.time_s, result.captured_at_s) == (frame.index, frame.time_s, 12.5)
    assert (result.stamp_ns, result.stamp_origin) == (1_700_000_000_000_000_001, "pushed")
    assert (Result(FRAME).stamp_ns, Result(FRAME).stamp_origin) == (None, None)


def test_a_track_knows_the_center_of_its_mask():
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:5] = True
    assert Track(1, mask, None, 1.0, State.TRACKED).centroid == (3.0, 1.5)
    assert Track(1, np.zeros((4, 6), bool), None, 0.0, State.LOST).centroid is None


def test_whoever_keeps_a_result_cannot_disturb_the_frame_loop():
    carried = np.ones((4, 6), np.float32)
    kept = Result.of(FRAME, {"depth": Part(0, depth=DepthMap(carried, (0.0, 1.0)))}, {}, {}, {}).depth_map
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 2
    carried[0, 0] = 3  # its owner still can
    assert kept[0, 0] == 3


def test_its_depth_map_is_enlarged_to_the_frame_once_and_only_for_those_who_ask():
    result = Result(FRAME, depth_map=np.tile(np.float32([[1], [3]]), (1, 3)))
    assert result.depth_map.shape == (2, 3)
    np.testing.assert_allclose(result.inverse_depth[:, 0], [1, 1.5, 2.5, 3])
    assert (result.inverse_depth.shape, result.inverse_depth.dtype) == ((4, 6), np.float32)
    assert result.inverse_depth is result.inverse_depth
    assert Result(FRAME).inverse_depth is None


def test_nothing_is_enlarged_to_learn_that_depth_has_no_meters():
    result = Result(FRAME, depth_map=np.ones((2, 3), np.float32))
    assert result.depth_m is None
    assert "inverse_depth" not in vars(result)


def test_without_clicks_the_arrays_are_empty_but_shaped_and_typed():
    one, other = (Track(id, np.zeros((4, 6), bool), None, 0.0, State.LOST) for id in (1, 2))
    assert (one.point_coords.shape, one.point_coords.dtype) == ((0, 2), np.float32)
    assert (one.point_labels.shape, one.point_labels.dtype) == ((0,), np.int32)
    assert one.point_coords is not other.point_coords
    assert Result(FRAME).timings_ms is not Result(FRAME).timings_ms


def test_states_are_words_wherever_they_are_written():
    assert f"{State.TRACKED}" == "tracked"
    assert json.dumps([*State]) == '["tracked", "uncertain", "lost"]'


def test_it_is_put_together_from_the_parts_of_the_stages():
    track, map_of = (
        Track(2, np.ones((4, 6), bool), (0.0, 0.0, 6.0, 4.0), 0.9, State.TRACKED),
        np.ones((4, 6), np.float32),
    )
    parts = {
        "masks": Part(2, (track,), age_s=0.5),
        "depth": Part(0, depth=DepthMap(map_of, (1.0, 2.0))),
        "more": Part(values={"a": 1}),
    }
    result = Result.of(FRAME, parts, {"depth": Reason.INTERVAL}, {"flow": 1.0}, {"depth": 20.0})
    assert (result.tracks, result.depth_map.base is map_of, result.depth_range) == ((track,), True, (1.0, 2.0))
    assert result.stages["masks"] == StageStatus(None, 2, 0.5)
    assert (result.reason_of("depth"), result.age_of("depth")) == (Reason.INTERVAL, 0)
    assert (result.age_s_of("masks"), result.age_s_of("depth"), result.age_s_of("no such stage")) == (0.5, None, None)
    assert (result.age_of("more"), result.values) == (None, {"more": {"a": 1}})
    assert (result.reason_of("no such stage"), result.age_of("no such stage")) == (None, None)
