import cv2
import numpy as np
import pytest

from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.tracking.fading import Fading
from streamer.tracking.refine import INSIDE

PICTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8), (0, 0), 2)


def disc(radius, center=(80, 60)):
    return cv2.circle(np.zeros((120, 160), np.uint8), center, radius, 255, -1)


def area(soft):
    return np.count_nonzero(soft > INSIDE)


@pytest.fixture
def motion():
    motion = Motion(FlowParameters(max_side_px=160))
    motion.advance(0, PICTURE)
    return motion


def run(motion, fading, softs, landed=()):
    motion.advance(motion.index + 1, PICTURE)
    return fading.apply(softs, landed, motion)


def test_what_has_not_landed_late_is_shown_as_it_is(motion):
    fading = Fading()
    for radius in (20, 40, 10):
        soft = disc(radius)
        assert run(motion, fading, {1: soft})[1] is soft


def test_the_outline_moves_over_in_equal_steps_and_arrives(motion):
    fading = Fading(frames=4)
    run(motion, fading, {1: disc(25)})
    new = disc(40)
    areas = [area(run(motion, fading, {1: new}, {1})[1])]
    areas += [area(run(motion, fading, {1: new})[1]) for _ in range(4)]
    radii = np.sqrt(np.array(areas) / np.pi)
    assert radii == pytest.approx([28, 31, 34, 37, 40], abs=0.7)
    assert run(motion, fading, {1: new})[1] is new


def test_objects_fade_on_their_own_and_an_unseen_one_appears_at_once(motion):
    fading = Fading()
    run(motion, fading, {1: disc(25), 2: disc(10, (30, 30))})
    shown = run(motion, fading, {1: disc(40), 2: disc(12, (30, 30)), 3: disc(15)}, {1, 3})
    assert area(shown[1]) < 0.6 * area(disc(40))
    assert (shown[2] == disc(12, (30, 30))).all()
    assert (shown[3] == disc(15)).all()


def test_to_another_place_it_jumps(motion):
    fading = Fading()
    run(motion, fading, {1: disc(20, (40, 60))})
    assert (run(motion, fading, {1: disc(20, (120, 60))}, {1})[1] == disc(20, (120, 60))).all()


def test_a_second_landing_goes_on_from_what_is_on_the_screen(motion):
    fading = Fading(frames=4)
    run(motion, fading, {1: disc(25)})
    shown = run(motion, fading, {1: disc(40)}, {1})[1]
    again = run(motion, fading, {1: disc(25)}, {1})[1]
    assert abs(np.sqrt(area(shown) / np.pi) - np.sqrt(area(again) / np.pi)) < 2


def test_on_a_paused_frame_it_arrives_as_well(motion):
    fading = Fading(frames=2)
    fading.apply({1: disc(25)}, (), motion)
    for landed in ({1}, (), ()):
        shown = fading.apply({1: disc(40)}, landed, motion)
    assert (shown[1] == disc(40)).all()


def test_while_the_picture_moves_the_fading_outline_moves_along(motion):
    fading = Fading(frames=4)
    run(motion, fading, {1: disc(20)})
    softs = []
    for step in range(1, 4):
        motion.advance(motion.index + 1, np.roll(PICTURE, 3 * step, axis=1))
        new = disc(30, (80 + 3 * step, 60))
        softs.append(fading.apply({1: new}, {1} if step == 1 else (), motion)[1])
    centers = [np.nonzero(soft > INSIDE)[1].mean() for soft in softs]
    assert np.diff(centers) == pytest.approx([3, 3], abs=0.7)


def test_after_a_scene_cut_nothing_is_faded(motion):
    fading = Fading()
    run(motion, fading, {1: disc(25)})
    fading.forget()
    assert (run(motion, fading, {1: disc(40)}, {1})[1] == disc(40)).all()
