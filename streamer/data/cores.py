"""How many processor cores this process is to use, where it shares the machine with others of its kind."""

from __future__ import annotations

import os

import cv2

ALL = 0
"""What FFmpeg and its encoders take for "as many as there are"."""

_limit = ALL


def core_count() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit() -> int:
    """Cores that decoders and encoders may use; `ALL` where nobody has set a limit."""
    return _limit


def set_limit(count: int) -> None:
    """Share the processor with other processes: OpenCV, decoders, encoders and, if not yet imported, torch obey."""
    global _limit
    _limit = max(1, count)
    cv2.setNumThreads(_limit)
    os.environ["OMP_NUM_THREADS"] = str(_limit)  # read when torch is imported
