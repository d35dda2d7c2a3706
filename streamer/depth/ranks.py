"""The ends and the middle of a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.depth.parameters import OUTLIERS, SAMPLE_STEP_PX


def extent(values: NDArray[np.float32]) -> tuple[float, float]:
    """(far, near) of a ``(h, w)`` map but for its outliers."""
    far, near = ranked(values[::SAMPLE_STEP_PX, ::SAMPLE_STEP_PX].ravel(), OUTLIERS)
    return far, near


def ranked(values: NDArray[np.float32], shares: Sequence[float]) -> list[float]:
    """The values of ``(N,)`` below which these shares of them lie; ten times as quick as `np.percentile`."""
    places = [round(share * (len(values) - 1)) for share in shares]
    return np.partition(values, places)[places].tolist()
