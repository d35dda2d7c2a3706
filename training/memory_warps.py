"""How things move in the made-up clips that the memory learns from: affine maps and smooth deformation, by remapping.

A thin-plate map is stood in for by a smooth random displacement, drawn on a coarse grid and enlarged by cubics.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import Image, Matrix

SPREAD_CELLS = 4


@dataclass(frozen=True, slots=True)
class Warp:
    """Where each output pixel comes from.

    Attributes:
        x, y: ``(H, W)`` float32 [px] of the source.
        scale: How much the source is enlarged.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    scale: float

    def image(self, image: Image) -> Image:
        """The warped image; beyond its border the last pixels go on, for a mirrored object would be a twin."""
        if self.scale < 0.6:
            image = cv2.GaussianBlur(image, (0, 0), 0.4 / self.scale).astype(np.uint8)
        return cv2.remap(image, self.x, self.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)

    def mask(self, mask: Image) -> Image:
        """The warped 0/1 mask; 0 beyond the border."""
        soft = cv2.remap(mask * np.uint8(255), self.x, self.y, cv2.INTER_LINEAR)
        return (soft > 127).astype(np.uint8)


def make_warp(matrix: Matrix, size: tuple[int, int], bend_px: float, rng: np.random.Generator) -> Warp:
    """Draw through ``matrix`` (source to output) on (width, height) ``size``, bent by about ``bend_px`` [px]."""
    bend = np.zeros((size[1], size[0], 2), np.float32)
    if bend_px > 0:
        coarse = rng.normal(0, bend_px, (SPREAD_CELLS, SPREAD_CELLS, 2)).astype(np.float32)
        bend = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return warp_through(matrix, bend)


def warp_through(matrix: Matrix, bend: NDArray[np.float32]) -> Warp:
    """Draw through ``matrix`` (source to output), bent by ``(H, W, 2)`` [px of the output]."""
    grid = np.indices(bend.shape[:2]).astype(np.float32)
    rows, columns = grid[0] + bend[..., 1], grid[1] + bend[..., 0]
    inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
    x = inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2]
    y = inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2]
    return Warp(x, y, float(np.sqrt(abs(np.linalg.det(matrix[:, :2].astype(np.float64))))))


def compose(after: Matrix, before: Matrix) -> Matrix:
    """First ``before``, then ``after``."""
    linear = after[:, :2] @ before[:, :2]
    shift = after[:, :2] @ before[:, 2] + after[:, 2]
    return np.column_stack([linear, shift]).astype(np.float32)


def walk(
    count: int, center: tuple[float, float], reach_px: float, change: float, rng: np.random.Generator
) -> list[Matrix]:
    """``count`` steps of a random walk of affine maps around ``center`` [px], the first of them the identity.

    Args:
        reach_px: Standard deviation of a step's shift [px].
        change: Standard deviation of a step's turn [rad], and of log scale, log aspect and shear.
    """
    steps, state = [], np.zeros(6)
    drift = rng.normal(0, 0.6, 2) * reach_px
    x, y = center
    for number in range(count):
        if number:
            state[:2] += drift + rng.normal(0, reach_px, 2)
            state[2:] += rng.normal(0, change, 4) * (1.0, 0.8, 0.4, 0.4)
        turn, scale, aspect, shear = state[2], np.exp(np.clip(state[3], -1, 1)), np.exp(state[4]), state[5]
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = spin @ np.array([[scale * aspect, shear], [0, scale / aspect]])
        shift = state[:2] + np.array([x, y]) - linear @ (x, y)
        steps.append(np.column_stack([linear, shift]).astype(np.float32))
    return steps
