"""How little a mask changes with its threshold, as SAM's automatic mask generator has it (Kirillov et al., 2023)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STABILITY_OFFSET = 1.0
"""By how much the thresholds are lower and higher than 0 [logits]: upstream's own."""


def stability(logits: NDArray[np.float32], offset: float = STABILITY_OFFSET) -> float:
    """IoU of the masks of ``(h, w)`` logits at a lower and a higher threshold, 0 to 1; 0 where both are empty."""
    wide = np.count_nonzero(logits > -offset)
    return np.count_nonzero(logits > offset) / wide if wide else 0.0
