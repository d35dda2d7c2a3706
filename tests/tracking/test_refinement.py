"""What the refiner is shown, and where its answers go."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.motion.pyramid import Pyramid, halve
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.propagation import Propagation
from streamer.tracking.refinement import Carried, crop, others_of, paste, region_around
from streamer.tracking.soft_masks import is_empty
from streamer.tracking.track_state import TrackState
from tests.tracking.fakes import GRID, Stage, disc, noise_with_discs, refinement_image

BOX, NOTHING = np.s_[10:30, 20:60], np.zeros((48, 80), np.uint8)


def blank(*region):
    mask = NOTHING.copy()
    for one in region:
        mask[one] = 255
    return mask


def carried(anchored, before=None, others=NOTHING, anchor=None, ratio=None):
    rows, columns = np.indices(NOTHING.shape, np.float32)
    anchor = anchor or Anchor(0, Pyramid.of(noise_with_discs((80, 48)), GRID, GRID), columns, rows)
    ratio = np.ones(4096, np.float32) if ratio is None else ratio
    return Carried(anchor, anchored, anchored if before is None else before, others, ratio)


class Recorder:
    """A refiner that answers with the mask of the frame before, and keeps what it was shown."""

    side_px = 64

    def __init__(self):
        self.shown = []

    def __call__(self, planes):
        self.shown.append(planes)
        return planes[..., 1], np.full(len(planes), 0.5, np.float32)


def test_every_plane_shows_what_it_should():
    image = noise_with_discs((80, 48))
    bins = refinement_image(image).bins
    ratio = np.ones(4096, np.float32)
    ratio[bins[24, 40]] = np.exp(3)
    shown = crop(carried(blank(BOX), blank(), blank(np.s_[20:30, 50:60]), ratio=ratio), refinement_image(image), 64)
    assert shown.shape == (64, 64, 11)
    anchored, before, trust, colors, others = (shown[..., at] for at in (0, 1, 2, 3, 10))
    assert anchored[32, 32] == 255 > anchored[2, 2] == 0 == before.max()
    assert trust.min() == 255
    assert colors[47, 32] > 250 > 130 > colors[2, 2] > 120
    assert others[45, 50] > 200 > others[10, 10] == 0
    assert (shown[..., 4:7] == shown[..., 7:10]).all()
    assert shown[40, 32, 4] > 180 > shown[40, 32, 5]


@given(st.integers(0, 40), st.integers(0, 70), st.integers(1, 8), st.integers(1, 10))
def test_an_answer_is_pasted_where_it_was_cut_out(top, left, height, width):
    mask = blank(np.s_[top : top + height, left : left + width])
    region = region_around(mask)
    answer = paste(np.full((64, 64), 255, np.uint8), region, mask.shape)
    assert (answer >= mask).all()
    assert np.count_nonzero(answer) == answer[region].size


def test_nothing_has_no_region():
    assert is_empty(region_around(NOTHING))


@given(st.integers(1, 6))
def test_others_are_all_but_oneself(count):
    masks = list(np.random.default_rng(count).integers(0, 256, (count, 3, 4), dtype=np.uint8))
    for at, others in enumerate(others_of(masks)):
        rest = [mask for number, mask in enumerate(masks) if number != at]
        assert (others == (np.max(rest, axis=0) if rest else 0)).all()


def states_on(motion, count):
    anchor = motion.open()
    states = [TrackState(number) for number in range(count)]
    for number, state in enumerate(states):
        state.believe(disc((30 + 12 * number, 48), 10), 0.9, anchor, None)
        state.color_ratio = np.ones(4096, np.float32)
    return states


def test_more_objects_than_are_mended_at_once_take_turns_and_all_are_carried():
    motion, refiner = Motion(FlowParameters(max_side_px=160, grid_side_px=160)), Recorder()
    propagation, image = Propagation(TrackingParameters(mended_at_once=2), refiner), noise_with_discs((80, 48))
    motion.advance(0, image)
    states = states_on(motion, 5)
    for index in range(1, 4):
        motion.advance(index, image)
        for state in states:
            state.advance()
        propagation.bring(states, motion)
        assert all(np.abs(state.half_present.astype(int) - halve(state.soft_mask)).mean() < 3 for state in states)
    assert [len(shown) for shown in refiner.shown] == [2, 2, 2]
    assert sorted(state.mended_index for state in states) == [1, 2, 2, 3, 3]


def test_the_last_answer_is_carried_on_and_a_new_belief_starts_afresh():
    motion, refiner = Motion(FlowParameters(max_side_px=160, grid_side_px=160)), Recorder()
    propagation, image = Propagation(TrackingParameters(), refiner), noise_with_discs((80, 48))
    motion.advance(0, image)
    (state,) = states_on(motion, 1)
    for index in range(1, 3):
        motion.advance(index, image)
        state.advance()
        state.before = None if index == 1 else state.before // 2
        propagation.bring([state], motion)
    anchored, before = refiner.shown[-1][0, ..., 0].astype(int), refiner.shown[-1][0, ..., 1]
    assert np.abs(anchored - 2 * before.astype(int)).mean() < 4 < before.max()
    state.believe(disc((60, 48), 10), 0.9, motion.open(), None)
    assert state.before is None


def test_without_refinement_nothing_is_mended():
    refiner = Recorder()
    stage = Stage(TrackingParameters(refinement=False), refiner=refiner)
    stage.keyframe(find=2)
    stage.step(2)
    assert not refiner.shown
