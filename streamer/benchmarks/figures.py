"""What a benchmark says about the machine that it ran on, and where its figures go."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

from streamer.data.cores import core_count
from streamer.sinks.outputs import write_json


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import torch

    load_average = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    return {
        "cpu": _cpu_name(),
        "cores": core_count(),
        "torch_threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "system": platform.platform(terse=True),
        "torch": torch.__version__,
        "load_average": load_average,
        "date": time.strftime("%Y-%m-%d %H:%M"),
    }


def title_of(clip: str, here: dict[str, Any]) -> str:
    """The line above a table."""
    cores = "1 core" if here["cores"] == 1 else f"{here['cores']} cores"
    return f"{clip} on {cores} of {here['cpu']}, load {here['load_average']}"


def write_figures(path: Path | None, figures: dict[str, Any]) -> None:
    """Write them as JSON; None for nowhere."""
    if path is not None:
        write_json(path, figures)


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
