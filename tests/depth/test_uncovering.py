"""The background comes to light where a near thing moves away."""

import cv2
import numpy as np

from streamer.depth.uncovering import filled
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters

BACKGROUND = cv2.normalize(
    cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (176, 320, 3), dtype=np.uint8), (0, 0), 2),
    None,
    0,
    255,
    cv2.NORM_MINMAX,
)


def with_thing(x):
    image = BACKGROUND.copy()
    thing = np.full((60, 60, 3), 255, np.uint8)
    thing[::8], thing[:, ::8] = 0, 0
    image[50:110, x : x + 60] = thing
    return image


def after_moves(*places):
    """The anchor at the first place, and the map of it carried to the last."""
    motion = Motion(FlowParameters(max_side_px=320))
    motion.advance(0, with_thing(places[0]))
    anchor = motion.open()
    for index, x in enumerate(places[1:], start=1):
        motion.advance(index, with_thing(x))
    depth = np.ones((176, 320), np.float32)
    depth[50:110, places[0] : places[0] + 60] = 5
    return anchor, anchor.carry(depth), motion


def test_a_hole_is_filled_with_what_lies_behind_and_the_thing_stays_whole():
    anchor, carried, motion = after_moves(*range(100, 164, 8))
    left_behind = np.s_[60:100, 100:156]
    whole = filled(carried, anchor, motion.present, 1.0)
    smeared, left = ((values[left_behind] > 3).mean() for values in (carried, whole))
    assert smeared > 0.05, "there is nothing to fill"
    assert left < smeared / 2
    assert np.median(whole[60:100, 162:210]) > 4.5


def test_where_nothing_moved_the_map_is_handed_back_as_it_is():
    anchor, carried, motion = after_moves(100, 100)
    assert filled(carried, anchor, motion.present, 1.0) is carried


def test_a_step_smaller_than_asked_for_is_no_edge():
    anchor, carried, motion = after_moves(100, 108, 116)
    assert filled(carried, anchor, motion.present, 10.0) is carried
