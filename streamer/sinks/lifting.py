"""Drawings on ordinary pictures, laid over the originals that have more bits or more light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.original import PEAK_NITS, PQ, SCREEN_GAMMA, TO_709, WHITE_NITS, Hdr

_TO_2020 = np.linalg.inv(TO_709).astype(np.float32)
_LIGHT = (np.arange(256, dtype=np.float32) / 255) ** np.float32(SCREEN_GAMMA)
_MOST = 65535


def lifted(drawn: NDArray[np.uint8], frame: Frame, hdr: Hdr | None = None) -> NDArray[np.uint16]:
    """The original of a frame where nothing is drawn, and what is drawn in the original's values.

    Args:
        drawn: ``(H, W, 3)`` uint8 RGB, the frame in its top left corner with whatever is drawn on it and beside it.
        frame: What it was drawn on; without an original all of it counts as drawn.
        hdr: How values are coded.

    Returns:
        ``(H, W, 3)`` uint16 RGB. What is drawn is as bright as on an ordinary screen, its white 203 cd/m2.
    """
    original = frame.original
    white = _MOST if original is None else original.white
    if original is None or drawn.shape[0] < frame.size[1] or drawn.shape[1] < frame.size[0]:
        return _in_values(drawn, white, hdr)
    width, height = frame.size
    out = np.empty(drawn.shape, np.uint16)
    out[height:] = _in_values(drawn[height:], white, hdr)
    out[:height, width:] = _in_values(drawn[:height, width:], white, hdr)
    inside = drawn[:height, :width]
    changed = (inside != frame.image_rgb).any(axis=2)
    out[:height, :width] = original.image
    out[:height, :width][changed] = _in_values(inside[changed], white, hdr)
    return out


def _in_values(levels: NDArray[np.uint8], white: int, hdr: Hdr | None) -> NDArray[np.uint16]:
    """``(..., 3)`` 8-bit levels of an ordinary screen in the values of the original."""
    if hdr is None:
        return (levels.astype(np.uint32) * white // 255).astype(np.uint16)
    nits = np.maximum(_LIGHT[levels] @ _TO_2020.T, 0) * np.float32(WHITE_NITS)
    signal = _pq(nits) if hdr.transfer == PQ else _hlg(nits)
    return np.rint(np.clip(signal, 0, 1) * _MOST).astype(np.uint16)


def _pq(nits: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """SMPTE ST 2084 of light [cd/m2]."""
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def _hlg(nits: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """ARIB STD-B67 of light on its nominal screen of 1000 cd/m2, ITU-R BT.2100."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    luma = np.maximum(nits @ np.array([0.2627, 0.6780, 0.0593], np.float32), 1e-6)[..., None]
    scene = nits / PEAK_NITS * (luma / PEAK_NITS) ** (1 / 1.2 - 1)
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
