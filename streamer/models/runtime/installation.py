"""Whether torch and torchvision are installed, and fit each other."""

from __future__ import annotations

from typing import NamedTuple


class Library(NamedTuple):
    """One library.

    Attributes:
        name: What it is called.
        version: Empty where it cannot be imported.
        trouble: What is wrong, and what to do about it; empty where all is well.
    """

    name: str
    version: str = ""
    trouble: str = ""


def look_at_libraries() -> list[Library]:
    """torch and, where that can be imported, torchvision."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return [Library("torch", trouble=f"it cannot be imported ({error}): run `uv sync`")]
    found = [Library("torch", torch.__version__)]
    try:
        import torchvision
    except (ImportError, RuntimeError, OSError) as error:
        return [*found, Library("torchvision", trouble=mismatch(str(error), torch.__version__))]
    return [*found, Library("torchvision", torchvision.__version__)]


def mismatch(error: str, torch_version: str) -> str:
    """What to do about a torchvision that does not fit torch."""
    if "torchvision::nms" not in error:
        return f"it cannot be imported ({error}): run `uv sync`"
    return (
        f"it was built for another torch than {torch_version} (`operator torchvision::nms does not exist`), which "
        "happens when one of them is a CPU build and the other is not: install both from the same place, with "
        "`uv sync` or `uv pip install --reinstall 'torch==2.13.*' 'torchvision==0.28.*'`"
    )
