"""The network that mends carried masks."""

import numpy as np
import pytest
import torch

from streamer.errors import ModelError
from streamer.models.registry import load_refiner
from streamer.models.tiny import weights
from streamer.models.tiny.refiner import RefinerNetwork, TinyRefiner
from streamer.motion.motion import Motion
from streamer.motion.pyramid import halve
from streamer.synthetic import SceneSource
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.propagation import Propagation
from streamer.tracking.soft_masks import INSIDE, overlap
from streamer.tracking.track_state import TrackState

FRAMES, HELD_OUT_SEED = 8, 900003
PLANES = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 11), dtype=np.uint8)


def test_untrained_it_answers_what_was_carried():
    refiner = TinyRefiner(RefinerNetwork().eval(), torch.device("cpu"))
    masks, ious = refiner(PLANES)
    assert masks.shape == (3, 80, 80)
    assert masks.dtype == np.uint8
    assert ious.shape == (3,)
    carried = PLANES[..., 0].astype(int) + PLANES[..., 1]
    assert ((masks > 127) == (carried > 255)).mean() > 0.99


def test_objects_do_not_tell_on_each_other_and_the_runtimes_agree():
    plain, quick = (load_refiner("cpu", runtime) for runtime in ("torch", "auto"))
    together, alone = plain(PLANES), plain(PLANES[1:2])
    assert np.abs(together[0][1].astype(int) - alone[0][0]).max() <= 1
    masks, ious = quick(PLANES)
    assert np.abs(masks.astype(int) - together[0]).max() <= 1
    assert ious == pytest.approx(together[1], abs=1e-3)


def test_damaged_weights_are_one_sentence(tmp_path):
    (tmp_path / "refiner.safetensors").write_bytes(b"nothing of that kind")
    with pytest.raises(ModelError, match="reinstall streamer"):
        weights.load_refiner(tmp_path / "refiner.safetensors")


def followed(refiner):
    """Mean IoU after some frames, and how far off the expected IoU is, on a scene that nothing was trained on."""
    scene, motion = SceneSource(HELD_OUT_SEED, (512, 288), objects=4, frame_count=None), Motion()
    motion.advance(0, scene.render(0))
    propagation, anchor, labels = Propagation(TrackingParameters(), refiner), motion.open(), scene.truth(0).labels
    states = [TrackState(int(number)) for number in np.unique(labels) if number and (labels == number).mean() > 0.003]
    for state in states:
        mask = motion.grid.shrink((labels == state.id).astype(np.uint8) * 255)
        state.believe(mask, 1.0, anchor, propagation.colors_of(mask, anchor))
    propagation.compare_colors(states)
    for index in range(1, FRAMES + 1):
        motion.advance(index, scene.render(index))
        for state in states:
            state.advance()
        propagation.bring(states, motion)
    truth = {
        state: halve(motion.grid.shrink((scene.truth(FRAMES).labels == state.id) * np.uint8(255))) for state in states
    }
    ious = [overlap(halve(state.present) > INSIDE, truth[state] > INSIDE) for state in states]
    return np.mean(ious), np.mean([abs(iou - state.expected_iou) for iou, state in zip(ious, states, strict=True)])


def test_it_mends_what_flow_carries_and_knows_what_that_is_worth():
    by_flow, _ = followed(None)
    mended, error = followed(load_refiner("cpu", "torch"))
    assert mended > by_flow + 0.05
    assert error < 0.2
