"""Where streamer keeps what it downloaded and compiled."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """``STREAMER_CACHE``, or the folder that the system means for caches."""
    chosen = os.environ.get("STREAMER_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("streamer")
