"""The memory tracker is a tracker: it has what the protocol has, and does what it says."""

import inspect

import numpy as np
import pytest

from streamer.data.prompt import Prompt
from streamer.models.image_call import ImageCall
from streamer.motion.motion import Motion
from streamer.tracking.keyframes import Answers
from streamer.tracking.memory_tracker import MemoryTracker
from streamer.tracking.protocol import TrackedMask, Tracker
from tests.fake_models import ColorSegmenter, moving_scene


def as_tracker(tracker: Tracker[Answers]) -> Tracker[Answers]:
    return tracker  # mypy checks it


NAMES = [name for name in vars(Tracker) if not name.startswith("_") or name == "__len__"]


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_a_tracker_has_is_there_with_the_same_arguments(name):
    tracker = MemoryTracker(ColorSegmenter())
    assert hasattr(tracker, name)
    wanted = vars(Tracker)[name]
    if callable(wanted):
        assert list(inspect.signature(wanted).parameters)[1:] == list(
            inspect.signature(getattr(tracker, name)).parameters
        )


def test_a_whole_run_through_the_protocol():
    tracker, motion = as_tracker(MemoryTracker(ColorSegmenter())), Motion()
    assert isinstance(tracker.image_call, ImageCall)
    assert (len(tracker), tracker.mask_age, tracker.trouble, tracker.unanswered) == (0, None, None, False)
    for index in range(8):
        image, labels = moving_scene(index)
        motion.advance(index, image)
        tracker.propagate(motion)
        if index == 0:
            assert tracker.add_points_or_box(Prompt([(60, 80)]), motion) == 1
            assert tracker.add_mask(Prompt(mask=labels == 2), motion) == 2
            assert tracker.unanswered
        if index in (0, 5):
            answer = tracker.keyframe(image, motion, 0)()
            tracker.adopt(answer, motion.open())
        masks = tracker.masks(motion)
        assert [mask.object_id for mask in masks] == [1, 2]
        assert all(isinstance(mask, TrackedMask) and mask.soft_mask.dtype == np.uint8 for mask in masks)
        assert not np.logical_and(*(mask.soft_mask > 127 for mask in masks)).any()
    assert tracker.mask_age == 2


def test_an_image_is_encoded_once_however_it_is_asked_for():
    segmenter = ColorSegmenter()
    tracker, (image, _) = MemoryTracker(segmenter), moving_scene(0)
    assert tracker.image_call(image).image_size == (320, 240)
    assert segmenter.encoded == 1


def test_several_images_are_encoded_together():
    class Batches(ColorSegmenter):
        def encode_batch(self, images_rgb):
            return [f"image {place} of {len(images_rgb)}" for place in range(len(images_rgb))]

    tracker = MemoryTracker(Batches())
    images = [moving_scene(index)[0] for index in range(3)]
    assert tracker._encode(images) == ["image 0 of 3", "image 1 of 3", "image 2 of 3"]
