"""Lets OpenCV's windows and PyAV live in one process on Linux.

Both wheels bring libxcb-shm, -shape and -xfixes under the same names, but PyAV's belong to a libxcb of its own.
Whichever are loaded first serve both, and with PyAV's, Qt waits for ever for the X server's first answer.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path


def prefer_opencv() -> None:
    """Load OpenCV's copies, which takes effect only before PyAV is imported; without X libraries nothing happens."""
    found = find_spec("cv2") if sys.platform == "linux" else None
    if found is None or found.origin is None:
        return
    libraries = Path(found.origin).parents[1] / "opencv_python.libs"
    for name in ("shm", "shape", "xfixes"):
        for path in libraries.glob(f"libxcb-{name}-*.so*"):
            with suppress(OSError):
                ctypes.CDLL(str(path))
