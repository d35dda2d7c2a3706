"""The figures of a run in words, for the terminal.

They come from :meth:`streamer.terminal.telemetry.Meter.summary`; whatever is missing in one is left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Summary = Mapping[str, Any]
Rows = list[tuple[str, str]]


def live_rows(summary: Summary) -> Rows:
    """What the live panel says, as (name, text), always the same names; an empty text where nothing is known."""
    parts = sorted(_section(summary, "timings_ms").items(), key=lambda part: -part[1].get("p50", 0))
    queues = _section(summary, "queues")
    return [
        ("rate", _rates(summary)),
        ("latency", _percentiles(_section(summary, "latency_ms"))),
        ("objects", _counts(_section(summary, "objects"))),
        ("loop ms", _columns(f"{name} {times['p50']:.0f}" for name, times in parts if "p50" in times)),
        ("models", _models(summary)),
        ("dropped", _dropped(_section(summary, "frames"))),
        ("queue", _columns(f"{stage} {state}" for stage, state in queues.items())),
        ("age", _ages(summary)),
        ("last run", _last_runs(summary)),
    ]


def plain_line(summary: Summary) -> str:
    """How a live run goes, in one line."""
    rows = dict(live_rows(summary))
    words = [rows["rate"], rows["latency"]]
    words += [f"{name} {rows[name]}" for name in ("dropped", "last run") if rows[name]]
    return ", ".join(" ".join(word.split()) for word in words if word)


def summary_rows(summary: Summary) -> Rows:
    """What the closing table says, as (name, text); only what is known."""
    frames = _section(summary, "frames")
    rate_hz, memory_mib = summary.get("frame_rate_hz"), summary.get("peak_memory_mib")
    rows = [
        ("frames", ", ".join(f"{frames[key]} {key}" for key in ("read", "shown") if key in frames)),
        ("written", _counts(_section(frames, "written"))),
        ("dropped", _dropped(frames)),
        ("rate", f"{rate_hz:.1f} fps" if rate_hz else ""),
        ("latency", _percentiles(_section(summary, "latency_ms"))),
        ("models", _models(summary)),
        *((name, _runs(stage)) for name, stage in _section(summary, "stages").items()),
        ("memory", f"{memory_mib:.0f} MiB at most" if memory_mib else ""),
        ("device", str(summary.get("device") or "")),
    ]
    return [(name, text) for name, text in rows if text]


def _section(summary: Summary, key: str) -> Mapping[str, Any]:
    section = summary.get(key)
    return section if isinstance(section, Mapping) else {}


def _columns(parts: Iterable[str]) -> str:
    return "  ".join(parts)


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


def _bare(duration_ms: float | None) -> str:
    if duration_ms is None:
        return "-"
    return f"{duration_ms:.0f}" if duration_ms >= 10 else f"{duration_ms:.1f}"


def _duration(duration_ms: float | None) -> str:
    if duration_ms is not None and duration_ms >= 1000:
        return f"{duration_ms / 1000:.1f} s"
    return f"{_bare(duration_ms)} ms"


def _rates(summary: Summary) -> str:
    rates = ("shown", summary.get("recent_frame_rate_hz")), ("captured", summary.get("capture_rate_hz"))
    return _columns(f"{name} {rate_hz:.1f} fps" for name, rate_hz in rates if rate_hz is not None)


def _percentiles(latency: Mapping[str, Any]) -> str:
    if not latency.get("count", 1):
        return ""
    return _columns(f"{key} {_duration(latency[key])}" for key in ("p50", "p95", "p99") if key in latency)


def _models(summary: Summary) -> str:
    duration_s = summary.get("duration_s")
    words = []
    for name, times in _section(summary, "model_timings_ms").items():
        count = times.get("count")
        rate = f" {count / duration_s:.1f}/s" if count and duration_s else ""
        words.append(f"{name} {_duration(times.get('p50'))}{rate}")
    return _columns(words)


def _dropped(frames: Mapping[str, Any]) -> str:
    if "dropped" not in frames:
        return ""
    causes = _section(frames, "dropped")
    total = sum(causes.values())
    share = f" ({total / frames['read']:.1%})" if total and frames.get("read") else ""
    return f"{total}{share}: {_counts(causes)}" if total else "0"


def _runs(stage: Mapping[str, Any]) -> str:
    runs = stage.get("runs")
    return f"{runs} {'run' if runs == 1 else 'runs'} ({_counts(_section(stage, 'reasons'))})" if runs else ""


def _ages(summary: Summary) -> str:
    """How old what is shown is, and what else its stage knows of it."""
    values = _section(summary, "values")
    words = []
    for name, age in _section(summary, "ages").items():
        if age is not None:
            known = "".join(f" {key} {_figure(value)}" for key, value in _section(values, name).items())
            words.append(f"{name} {age} {'frame' if age == 1 else 'frames'}{known}")
    return _columns(words)


def _figure(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _last_runs(summary: Summary) -> str:
    last = {name: stage["last"][-1] for name, stage in _section(summary, "stages").items() if stage.get("last")}
    return _columns(f"{name} {run['reason']} (frame {run['index']})" for name, run in last.items())
