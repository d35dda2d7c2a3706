"""High dynamic range as an ordinary screen shows it: HLG and PQ in BT.2020 become BT.709.

What comes out has diffuse white (203 cd/m2, ITU-R BT.2408) where an SDR video has its white, and rolls brighter light
off above that, the hue kept. The whole curve is one table of colors, which FFmpeg's `lut3d` looks up.
"""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from streamer.data.original import PEAK_NITS, PQ, SCREEN_GAMMA, TO_709, WHITE_NITS

_KNEE = 0.85
"""Share of the SDR range that stays as it is, of light; above it, highlights are rolled off."""
_SIDE = 65
"""Colors of the table along each channel: 1 of 255 from the formula in the mean."""


class ToneMapper:
    """Turns HLG or PQ frames into 8-bit RGB as an ordinary screen shows them.

    Args:
        frame: The first of them.
        size: (width, height) of what comes out [px].
    """

    def __init__(self, frame: av.VideoFrame, size: tuple[int, int]) -> None:
        self._kind = _kind_of(frame, size)
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 90_000)
        )
        sized = self._graph.add("scale", f"w={size[0]}:h={size[1]}:in_color_matrix=bt2020nc:flags=bicubic")
        deep = self._graph.add("format", "gbrp12le")
        self._graph.link_nodes(source, sized, deep)
        with tempfile.NamedTemporaryFile("w", suffix=".cube", delete=False) as file:
            file.write(_cube(int(frame.color_trc)))
        try:
            mapped = self._graph.add("lut3d", f"file={_escaped(file.name)}:interp=tetrahedral")
        finally:
            os.unlink(file.name)
        self._graph.link_nodes(deep, mapped, self._graph.add("format", "rgb24"), self._graph.add("buffersink"))
        self._graph.configure()

    def takes(self, frame: av.VideoFrame, size: tuple[int, int]) -> bool:
        """Whether a frame is like the first one."""
        return self._kind == _kind_of(frame, size)

    def map(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """The frame as ``(H, W, 3)`` uint8 RGB."""
        frame.time_base = Fraction(1, 90_000)
        self._graph.push(frame)
        image: NDArray[np.uint8] = self._graph.pull().to_ndarray()
        return image


def _kind_of(frame: av.VideoFrame, size: tuple[int, int]) -> tuple[object, ...]:
    return frame.width, frame.height, frame.format.name, int(frame.color_trc), size


def to_sdr(signal: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """BT.709 RGB from BT.2020 RGB.

    Args:
        signal: ``(..., 3)``, nonlinear, 0 to 1.
        transfer: `PQ` or `HLG`.

    Returns:
        ``(..., 3)``, nonlinear, 0 to 1.
    """
    nits = _pq_nits(signal) if transfer == PQ else _hlg_nits(signal)
    light = np.maximum(nits / WHITE_NITS @ TO_709.T, 0)
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    return np.clip(light * _rolled_off(brightest) / brightest, 0, 1) ** (1 / SCREEN_GAMMA)


def _rolled_off(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light up to the knee as it is, above it bent so that the peak meets the white of the screen (a hyperbola)."""
    peak, room = PEAK_NITS / WHITE_NITS, 1 - _KNEE
    above = np.maximum(light - _KNEE, 0)
    scale = (peak - _KNEE) * room / (peak - _KNEE - room)
    return np.where(light <= _KNEE, light, _KNEE + above * scale / (above + scale))


def _pq_nits(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084 [cd/m2]."""
    power = np.clip(signal, 0, 1) ** (1 / 78.84375)
    return 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def _hlg_nits(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """ARIB STD-B67 on its nominal screen of 1000 cd/m2 [cd/m2], ITU-R BT.2100."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593])
    return PEAK_NITS * np.maximum(luma, 1e-9)[..., None] ** 0.2 * scene


@cache
def _cube(transfer: int) -> str:
    """The table in the format that color grading programs exchange; red counts fastest."""
    steps = np.linspace(0, 1, _SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    colors = to_sdr(np.stack([red, green, blue], axis=-1).reshape(-1, 3), transfer)
    lines = "\n".join(f"{red:.5f} {green:.5f} {blue:.5f}" for red, green, blue in colors.tolist())
    return f"LUT_3D_SIZE {_SIDE}\n{lines}\n"


def _escaped(path: str) -> str:
    """A path in the arguments of a filter, where colons and backslashes mean something."""
    return path.replace("\\", "/").replace(":", "\\\\:").replace("'", "\\\\'")
