"""What cameras do to pictures, for training: blur, noise, exposure, white balance and JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def degrade(image_rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A copy of ``(H, W, 3)`` uint8 RGB as a poor camera would have taken it; no pixel moves by more than the blur."""
    image = _blurred(image_rgb, rng) if rng.random() < 0.4 else image_rgb
    image = _exposed(image, rng) if rng.random() < 0.7 else image
    image = _noisy(image, rng) if rng.random() < 0.5 else image
    image = _compressed(image, rng) if rng.random() < 0.5 else image
    return image.copy() if image is image_rgb else image


def _blurred(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Defocus, or motion along a random line, in proportion to the picture."""
    unit = max(image.shape[:2]) / 640
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8) * unit)
    length = max(3, round(rng.uniform(2, 9) * unit))
    kernel = np.zeros((length, length), np.float32)
    middle, angle = (length - 1) / 2, rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = (tuple(np.round(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _exposed(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gain, gamma and white balance, as one table per channel."""
    ramp = np.arange(256) / 255
    gains = rng.uniform(0.65, 1.3) * rng.uniform(0.88, 1.12, 3)
    tables = np.stack([gain * ramp ** rng.uniform(0.75, 1.35) for gain in gains], axis=1)
    return cv2.LUT(image, np.clip(tables * 255, 0, 255).astype(np.uint8).reshape(256, 1, 3))


def _noisy(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise of the sensor: some of it constant, some growing with the light."""
    grain = rng.standard_normal(image.shape, np.float32)
    grain *= rng.uniform(1, 7) + rng.uniform(0, 0.5) * np.sqrt(image.astype(np.float32))
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def _compressed(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
