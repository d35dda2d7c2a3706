"""Whether a window can be shown here, found out without risking the process."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import cv2

_PROBE_TIMEOUT_S = 15


def display_available() -> str | None:
    """Why no window can be shown here, in one sentence, or None where one can. Never ends the process."""
    if not cv2.currentUIFramework():
        return "This build of OpenCV has no windows: install opencv-python instead of opencv-python-headless."
    if sys.platform != "linux":
        return None
    display = os.environ.get("DISPLAY", "")
    if not display and not os.environ.get("WAYLAND_DISPLAY"):
        return "There is no display here (DISPLAY is not set): run it on a desktop, or with --no-show and an output."
    return _probe(display, os.environ.get("XAUTHORITY", ""))


@cache
def _probe(display: str, authority: str) -> str | None:
    # Qt aborts the whole process where it cannot connect, so another one tries first. The arguments key the cache.
    command = [sys.executable, "-c", "import cv2; cv2.namedWindow('probe'); cv2.destroyAllWindows()"]
    try:
        works = subprocess.run(command, capture_output=True, timeout=_PROBE_TIMEOUT_S).returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    if works:
        return None
    return f"The display {display or 'of Wayland'} cannot be opened: check DISPLAY, or use --no-show and an output."
