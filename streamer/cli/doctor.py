"""``streamer doctor``: what works here, and what to do about what doesn't."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

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


def doctor() -> None:
    """What works here (device, codecs, cameras, display, models), and what to do about what doesn't."""
    raise typer.Exit(examine())


def examine() -> int:
    """Look at everything and print a table.

    Returns:
        Exit code: 1 if something is broken, else 0.
    """
    from rich.markup import escape
    from rich.table import Table

    from streamer.terminal.console import Terminal

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
    """torch, torchvision, whether the two fit, the device that they run on, and what the bundled models run through."""
    from streamer.models.runtime.installation import look_at_libraries

    findings = []
    for name, version, trouble in look_at_libraries():
        findings.append(Finding(name, "broken", trouble) if trouble else Finding(name, "ok", version))
    if all(finding.verdict == "ok" for finding in findings):
        from streamer.models.runtime.devices import describe_device, pick_device
        from streamer.models.runtime.openvino import describe_runtime

        findings.append(Finding("device", "ok", describe_device(pick_device("auto"))))
        findings.append(Finding("runtime", "ok", describe_runtime()))
    return findings


def look_at_codecs() -> list[Finding]:
    """What can be read and written."""
    from streamer.sinks.codecs import CODECS, is_here

    findings = []
    for name, mode, use in CODECS:
        if is_here(name, mode):
            findings.append(Finding("codec", "ok", f"{use} ({name})"))
        else:
            advice = f"{use} is not possible: reinstall PyAV with `uv pip install av`"
            findings.append(Finding("codec", "broken" if mode == "w" else "missing", advice))
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
    from streamer.ui.window.display import display_available

    reason = display_available()
    return [Finding("display", "missing", reason) if reason else Finding("display", "ok", "windows can be shown")]


def look_at_models() -> list[Finding]:
    """Whether the bundled models load, and which others are here."""
    from streamer.models import registry, store
    from streamer.models.parameters import DepthParameters, SegmenterParameters

    registry.load_segmenter(SegmenterParameters(), "auto")
    registry.load_depth(DepthParameters(), "auto")
    findings = [Finding("models", "ok", "the bundled ones load")]
    for entry in store.list_models():
        if entry.state == "cached":
            findings.append(Finding("models", "ok", f"{entry.name} is at {entry.path}"))
        elif entry.state == "broken off":
            advice = f"{entry.name} is here in part: `streamer models pull {entry.name}` goes on"
            findings.append(Finding("models", "missing", advice))
    return [*findings, Finding("models", "ok", "`streamer models list` shows which others there are")]


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
