"""Models that know the answer: red and blue tell the object, green is texture, and depth is the red channel."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from streamer.data.depth_unit import DepthUnit
from streamer.data.prompt import Prompt
from streamer.models.protocols import Decoded, Embedding, Found, Memory, Recalled

LOW_RES = 64


class ColorSegmenter:
    """Answers with the connected region of one color under the first foreground point (or in the box's middle)."""

    name = "color"

    def __init__(self, delay_s: float = 0.0, wrong: bool = False) -> None:
        self.encoded = 0
        self.memory = ColorMemory(self)
        self.asked: list[Prompt] = []
        self.delay_s, self.wrong = delay_s, wrong

    def encode(self, image_rgb):
        time.sleep(self.delay_s)
        self.encoded += 1
        height, width = image_rgb.shape[:2]
        return Embedding(image_rgb.copy(), (width, height), image_rgb.copy())

    def encode_batch(self, images_rgb):
        return [self.encode(image_rgb) for image_rgb in images_rgb]

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded:
        self.asked += prompts
        logits = [self._region(embedding.features, prompt) for prompt in prompts]
        candidates = np.stack([np.stack([one, np.full_like(one, -9), np.full_like(one, 9)]) for one in logits])
        return Decoded(candidates, np.tile(np.float32([0.95, 0.1, 0.3]), (len(prompts), 1)))

    def _region(self, image, prompt: Prompt):
        if len(prompt.point_coords):
            x, y = prompt.point_coords[0].astype(int)
        else:
            x, y = prompt.box.reshape(2, 2).mean(axis=0).astype(int)
        height, width = image.shape[:2]
        color = image[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1), ::2]
        mask = (image[..., ::2] == color).all(axis=2)
        if self.wrong:
            mask = np.roll(mask, width // 2, axis=1)
        return (cv2.resize(mask.astype(np.float32), (LOW_RES, LOW_RES), interpolation=cv2.INTER_AREA) - 0.5) * 20

    def mask_input(self, mask, image_size):
        return (cv2.resize(np.asarray(mask, np.float32), (LOW_RES, LOW_RES)) - 0.5) * 20

    def upscale(self, logits, image_size):
        return np.stack([cv2.resize(one, image_size) for one in logits])

    def find(self, embedding: Embedding, limit: int):
        keys = embedding.features[..., ::2]
        colors, counts = np.unique(keys.reshape(-1, 2), axis=0, return_counts=True)
        order = np.argsort(counts)[::-1][1 : limit + 1]
        return [Found((keys == colors[place]).all(axis=2), 0.9) for place in order]

    def features(self, embedding: Embedding):
        return cv2.resize(embedding.features, (16, 16)).astype(np.float32) / 255


class ColorMemory:
    """Remembers the commonest color of each object, and finds all of the last one again (elsewhere, if it is wrong)."""

    def __init__(self, segmenter) -> None:
        self._segmenter = segmenter

    def remember(self, embedding, masks):
        values = {}
        for object_id, soft_mask in masks.items():
            height, width = embedding.query.shape[:2]
            inside = cv2.resize(soft_mask, (width, height), interpolation=cv2.INTER_NEAREST) > 127
            colors, counts = np.unique(embedding.query[inside][:, ::2], axis=0, return_counts=True)
            values[object_id] = colors[counts.argmax()] if len(colors) else None
        return Memory(None, values)

    def recall(self, embedding, memories, object_ids, carried, size):
        logits, presence = [], []
        for object_id in object_ids:
            color = [memory.values[object_id] for memory in memories if object_id in memory.values][-1]
            mask = np.zeros(embedding.query.shape[:2], bool)
            if color is not None:
                mask = (embedding.query[..., ::2] == color).all(axis=2)
            if self._segmenter.wrong:
                mask = np.roll(mask, mask.shape[1] // 2, axis=1)
            presence.append(0.95 if mask.any() else 0.05)
            logits.append((cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) - 0.5) * 20)
        return Recalled(np.stack(logits), np.float32(presence), np.full(len(logits), 0.95, np.float32))


class RedDepth:
    """Inverse depth is the red channel, at another scale and shift on every call."""

    name = "red"
    unit = DepthUnit.RELATIVE

    def __init__(self) -> None:
        self.calls = 0

    def estimate(self, image_rgb):
        self.calls += 1
        return image_rgb[..., 0].astype(np.float32) * (1 + 0.3 * (self.calls % 3)) + 10 * (self.calls % 2)


@cache
def _texture(seed: int, size: tuple[int, int]):
    width, height = size
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(128 + smooth / smooth.std() * 30, 0, 255).astype(np.uint8)


def moving_scene(index: int, size: tuple[int, int] = (320, 240), speed_px: float = 3.0):
    """A red ball and a blue box, textured, that move over a textured background: image and ``(H, W)`` labels."""
    width, height = size
    labels = np.zeros((height, width), np.uint8)
    x, y = round(60 + speed_px * index), round(120 + index)
    cv2.circle(labels, (x, height // 3), 28, 1, -1)
    cv2.rectangle(labels, (width - 90, y), (width - 40, y + 60), 2, -1)
    image = np.empty((height, width, 3), np.uint8)
    image[...] = (70, 0, 90)
    image[labels == 1] = (220, 0, 40)
    image[labels == 2] = (40, 0, 220)
    for label, shift in enumerate([(0, 0), (0, x), (y, 0)]):
        texture = np.roll(_texture(label, size), shift, axis=(0, 1))
        image[labels == label, 1] = texture[labels == label]
    return image, labels
