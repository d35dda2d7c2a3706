"""What the tests of tracking share: discs on noise, a decoder that answers as told, a tracker on a moving scene."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from streamer.models.protocols import Decoded, Embedding
from streamer.models.registry import load_refiner
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.motion.pyramid import Grid, Pyramid
from streamer.tracking.memory_tracker import MemoryTracker
from streamer.tracking.refinement import RefinementImage
from streamer.tracking.soft_masks import INSIDE
from tests.fake_models import ColorSegmenter, moving_scene

SIZE = (160, 96)


@cache
def bundled_refiner():
    return load_refiner("cpu", "torch")


GRID, EMBEDDING = Grid(SIZE, SIZE), Embedding(None, SIZE)
NOWHERE = np.zeros((96, 160), bool)


def disc(center, radius, size=SIZE):
    mask = np.zeros(size[::-1], np.uint8)
    cv2.circle(mask, center, radius, 255, -1)
    return mask


def iou(first, second):
    return (first & second).sum() / (first | second).sum()


def noise_with_discs(*centers, color=(200, 30, 30)):
    image = np.random.default_rng(0).integers(60, 110, (96, 160, 3), dtype=np.uint8)
    for center in centers:
        image[disc(center, 20) > 0] = color
    return image


def refinement_image(image):
    return RefinementImage(Pyramid.of(image, GRID, GRID))


BALL, PART, WHOLE = disc((80, 48), 20), disc((80, 48), 8), np.full((96, 160), 255, np.uint8)


class FixedDecoder:
    """Answers every prompt with the same candidates, and remembers what it was asked."""

    def __init__(self, masks, scores):
        self.masks, self.scores, self.asked = masks, scores, []

    def decode(self, embedding, prompts, multimask_output=True):
        self.asked.append(list(prompts))
        logits = np.stack([np.where(mask > 0, 8.0, -8.0) for mask in self.masks]).astype(np.float32)
        return Decoded(np.stack([logits] * len(prompts)), np.tile(np.float32(self.scores), (len(prompts), 1)))

    def mask_input(self, mask, image_size):
        return np.asarray(mask, np.float32)

    def upscale(self, logits, image_size):
        return logits


class Stage:
    """A tracker on the moving scene, with keyframes when the test says so."""

    def __init__(self, parameters=None, segmenter: ColorSegmenter | None = None, refiner=None):
        refiner = refiner or bundled_refiner()
        self.motion, self.segmenter = Motion(FlowParameters(max_side_px=320)), segmenter or ColorSegmenter()
        self.tracker = MemoryTracker(self.segmenter, parameters, refiner)
        self.index = -1
        self.step()

    def step(self, count=1):
        for _ in range(count):
            self.index += 1
            self.image, self.labels = moving_scene(self.index)
            self.motion.advance(self.index, self.image)
            self.tracker.propagate(self.motion)

    def say(self, prompt):
        add = self.tracker.add_points_or_box if prompt.mask is None else self.tracker.add_mask
        return add(prompt, self.motion)

    def ask(self, find=0, image=None):
        return self.tracker.keyframe(self.image if image is None else image, self.motion, find)()

    def keyframe(self, find=0, image=None):
        return self.tracker.adopt(self.ask(find, image), self.motion.open())

    def cut(self, keep_found=True):
        self.tracker.start_scene(keep_found)

    def mask(self, object_id):
        return next(mask for mask in self.tracker.masks(self.motion) if mask.object_id == object_id)

    def iou(self, object_id, truth=None):
        truth = self.labels == object_id if truth is None else truth
        return iou(self.mask(object_id).soft_mask > INSIDE, truth)

    def state(self, object_id):
        return self.mask(object_id).state

    def score(self, object_id):
        return self.mask(object_id).score
