"""``torch.compile`` as an option: its cache kept between runs, and a word to the person who waits for the first."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from streamer.errors import ModelError
from streamer.models.weights.cache import cache_folder

CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
log = logging.getLogger(__name__)


def compiled(module: nn.Module, name: str, device: torch.device) -> Callable[..., Any]:
    """Let torch generate code for a module at its first call; later runs take it from the cache.

    Raises:
        ModelError: The device is a CPU and there is no C++ compiler here.
    """
    if device.type == "cpu" and not _has_compiler():
        raise ModelError("compile=true needs a C++ compiler on a CPU: install g++ or clang, or set compile=false.")
    folder = _keep_between_runs()
    log.warning(
        "Compiling %s at its first use: this takes minutes once, and seconds in later runs (kept in %s).", name, folder
    )
    return torch.compile(module, dynamic=False)


def _keep_between_runs() -> str:
    """Where compiled code is kept: what the person chose, or our cache instead of torch's temporary folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen is None or Path(chosen).parent == Path(tempfile.gettempdir()):
        os.environ[CACHE_VARIABLE] = str(cache_folder() / "compiled")
    return os.environ[CACHE_VARIABLE]


def _has_compiler() -> bool:
    return any(shutil.which(command) for command in (os.environ.get("CXX", "g++"), "c++", "g++", "clang++"))
