"""``streamer doctor``: what works here, and what to do about what doesn't."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.markup import escape
from rich.table import Table

from streamer.terminal.console import Terminal

Verdict = Literal["ok", "missing", "broken"]
_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}
_MIN_FREE_GB = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part.

    Attributes:
        part: What was looked at.
        verdict: ok; missing: something will not be possible; broken: nothing will work before this is mended.
        text: What it is like, and what to do about it.
    """

    part: str
    verdict: Verdict
    text: str


def doctor() -> int:
    """Look at everything and print a table.

    Returns:
        Exit code: 1 if something is broken, else 0.
    """
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_column(overflow="fold")
    findings = [finding for look in LOOKS for finding in _safely(look)]
    for finding in findings:
        style = _STYLES[finding.verdict]
        table.add_row(finding.part, f"[{style}]{finding.verdict}[/]", escape(finding.text))
    Terminal().console.print(table)
    return 1 if any(finding.verdict == "broken" for finding in findings) else 0


def _safely(look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except Exception as error:
        part = look.__name__.removeprefix("look_at_").replace("_", " ")
        return [Finding(part, "broken", f"{type(error).__name__}: {error}")]


def look_at_python() -> list[Finding]:
    """Python and the system."""
    return [Finding("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}")]


def look_at_torch() -> list[Finding]:
    """torch, its device, and whether torchvision was built for it."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return [Finding("torch", "broken", f"it cannot be imported ({error}): run `uv sync`")]
    findings = [Finding("torch", "ok", torch.__version__)]
    try:
        import torchvision
    except (ImportError, RuntimeError, OSError) as error:
        return [*findings, Finding("torchvision", "broken", mismatch(str(error), torch.__version__))]
    from streamer.models.runtime.devices import describe_device, pick_device

    findings.append(Finding("torchvision", "ok", torchvision.__version__))
    return [*findings, Finding("device", "ok", describe_device(pick_device("auto")))]


def mismatch(error: str, torch_version: str) -> str:
    """What to do about a torchvision that does not fit torch."""
    if "torchvision::nms" not in error:
        return f"it cannot be imported ({error}): run `uv sync`"
    return (
        f"it was built for another torch than {torch_version} (`operator torchvision::nms does not exist`), which "
        "happens when one of them is a CPU build and the other is not: install both from the same place, with "
        "`uv sync` or `uv pip install --reinstall 'torch==2.13.*' 'torchvision==0.28.*'`"
    )


def look_at_codecs() -> list[Finding]:
    """What can be read and written."""
    import av

    findings = []
    for name, mode, use in (
        ("h264", "r", "reading H.264"),
        ("hevc", "r", "reading HEVC"),
        ("libx264", "w", "writing H.264"),
    ):
        try:
            av.codec.Codec(name, mode)
            findings.append(Finding("codec", "ok", f"{use} ({name})"))
        except ValueError:
            verdict: Verdict = "broken" if mode == "w" else "missing"
            findings.append(
                Finding("codec", verdict, f"{use} is not possible: reinstall PyAV with `uv pip install av`")
            )
    return findings


def look_at_cameras() -> list[Finding]:
    """Which cameras answer."""
    from streamer.errors import SourceError
    from streamer.sources.camera import CameraSource

    candidates: list[int | str] = [0, 1]
    if platform.system() == "Linux":
        candidates = [str(path) for path in sorted(Path("/dev").glob("video*"))]
    found = []
    for candidate in candidates:
        try:
            source = CameraSource(candidate, open_timeout_s=3.0)
        except SourceError:
            continue
        width, height = source.info.size
        found.append(Finding("camera", "ok", f"{candidate}: {width}x{height}"))
        source.close()
    advice = "none answers: plug one in and allow access to it, or use a file, a stream or `streamer live scene`"
    return found or [Finding("camera", "missing", advice)]


def look_at_the_display() -> list[Finding]:
    """Whether a window can be shown."""
    from streamer.ui.window.window import display_available

    reason = display_available()
    return [Finding("display", "missing", reason) if reason else Finding("display", "ok", "windows can be shown")]


def look_at_models() -> list[Finding]:
    """Whether the bundled models load, and which others are here."""
    from streamer.models import registry

    registry.load_segmenter()
    registry.load_depth()
    findings = [Finding("models", "ok", "the bundled ones load")]
    for row in registry.list_models():
        if row.state == "cached":
            findings.append(Finding("models", "ok", f"{row.name} is at {row.path}"))
        elif row.state == "available":
            advice = f"{row.name} is not here: `streamer models pull {row.name}`"
            findings.append(Finding("models", "missing", advice))
    return findings


def look_at_the_disk() -> list[Finding]:
    """Whether there is room for recordings and downloads."""
    free_gb = shutil.disk_usage(".").free / 1e9
    if free_gb < _MIN_FREE_GB:
        return [Finding("disk", "missing", f"only {free_gb:.1f} GB free here: make room before recording")]
    return [Finding("disk", "ok", f"{free_gb:.0f} GB free here")]


LOOKS = (
    look_at_python,
    look_at_torch,
    look_at_codecs,
    look_at_cameras,
    look_at_the_display,
    look_at_models,
    look_at_the_disk,
)
