"""The figures of a run in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector


def exposition(summary: Mapping[str, Any], viewers: int, delays_s: Sequence[float]) -> bytes:
    """All figures, UTF-8.

    Args:
        summary: As `Meter.summary` has it; empty before the first frame.
        viewers: Pages that are open.
        delays_s: From capture until a page had drawn it, of the last pictures [s].
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once([*_of_run(summary), *_of_browser(viewers, delays_s)]))
    return generate_latest(registry)


class _Once(Collector):
    """Metrics that are known already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_run(summary: Mapping[str, Any]) -> Iterable[Metric]:
    if not summary:
        return
    frames = summary["frames"]
    yield CounterMetricFamily("streamer_frames_read", "Frames that the source gave.", frames["read"])
    yield CounterMetricFamily("streamer_frames_shown", "Frames that came out of the pipeline.", frames["shown"])
    dropped = CounterMetricFamily("streamer_frames_dropped", "Frames left out, by cause.", labels=["cause"])
    for cause, count in frames["dropped"].items():
        dropped.add_metric([cause], count)
    yield dropped
    rate_hz = summary["recent_frame_rate_hz"]
    yield GaugeMetricFamily("streamer_frame_rate_hertz", "Frames per second over the last two seconds.", rate_hz)
    yield _durations("streamer_latency_seconds", "From capture to display.", {"": summary["latency_ms"]}, None)
    parts, models = summary["timings_ms"], summary["model_timings_ms"]
    yield _durations("streamer_loop_seconds", "What the frame loop spends, by part.", parts, "part")
    yield _durations("streamer_model_seconds", "What the calls of the models take.", models, "call")
    runs = CounterMetricFamily("streamer_model_runs", "How often a slow model was asked.", labels=["stage", "reason"])
    for stage, figures in summary["stages"].items():
        for reason, count in figures["reasons"].items():
            runs.add_metric([stage, reason], count)
    yield runs
    ages = GaugeMetricFamily("streamer_age_frames", "Frames since it was last seen by its model.", labels=["stage"])
    for stage, age in summary.get("ages", {}).items():
        if age is not None:
            ages.add_metric([stage], age)
    yield ages
    if summary.get("peak_memory_mib") is not None:
        peak = summary["peak_memory_mib"] * 2**20
        yield GaugeMetricFamily("streamer_peak_memory_bytes", "The most memory held so far.", peak)


def _durations(name: str, about: str, by: Mapping[str, Mapping[str, float]], label: str | None) -> Metric:
    """Count and sum of durations, which are in milliseconds there."""
    family = SummaryMetricFamily(name, about, labels=None if label is None else [label])
    for value, figures in by.items():
        total_s = figures["mean"] * figures["count"] / 1000
        family.add_metric([] if label is None else [value], int(figures["count"]), total_s)
    return family


def _of_browser(viewers: int, delays_s: Sequence[float]) -> Iterable[Metric]:
    yield GaugeMetricFamily("streamer_browser_viewers", "Pages that are open.", viewers)
    delays = sorted(delays_s)
    if delays:
        family = GaugeMetricFamily(
            "streamer_browser_delay_seconds",
            "From capture until a page had drawn it, of the last 1000 pictures.",
            labels=["quantile"],
        )
        for quantile in (0.5, 0.95):
            family.add_metric([str(quantile)], delays[int(quantile * (len(delays) - 1))])
        yield family
