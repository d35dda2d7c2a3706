import json
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.data.frame import Frame
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.errors import SinkError
from streamer.terminal.statistics import Histogram, Rate
from streamer.terminal.telemetry import Meter, peak_memory_mib, write_stats

IMAGE = np.zeros((1, 1, 3), np.uint8)


def result(index: int, captured_at_s: float, **changes: object) -> Result:
    return Result(Frame(index, 0.0, IMAGE, captured_at_s), **changes)


@settings(deadline=None)
@given(durations=st.lists(st.floats(0.001, 1e6), min_size=1, max_size=300), percent=st.floats(0.1, 100))
def test_percentiles_are_within_a_percent(durations: list[float], percent: float) -> None:
    histogram = Histogram()
    for duration_ms in durations:
        histogram.add(duration_ms)
    expected = np.percentile(durations, percent, method="inverted_cdf")
    assert histogram.percentile(percent) == pytest.approx(expected, rel=0.0101)
    assert histogram.summary()["mean"] == pytest.approx(np.mean(durations), abs=6e-4)
    assert histogram.max_ms == max(durations)


def test_durations_beyond_the_bins_are_still_counted() -> None:
    histogram = Histogram()
    for duration_ms in (0.0, -1.0, 1e12):
        histogram.add(duration_ms)
    assert histogram.count == 3
    assert histogram.percentile(50) < 0.01
    assert histogram.percentile(100) >= 1e7
    assert Histogram().summary() == {"count": 0, "mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}


def test_rate_over_the_run_and_over_its_last_moments() -> None:
    rate = Rate()
    for index in range(51):
        rate.add(100 + index / 10)
    for index in range(1, 121):
        rate.add(105 + index / 60)
    assert rate.mean_hz == pytest.approx(170 / 7)
    assert rate.recent_hz() == pytest.approx(60, rel=0.01)
    assert rate.recent_hz(now_s=108.9) == pytest.approx(60, rel=0.01)
    assert rate.recent_hz(now_s=109.1) == 0
    assert (Rate().mean_hz, Rate().recent_hz()) == (0, 0)


def test_a_summary_tells_the_whole_run() -> None:
    meter = Meter(device="cpu")
    for index in range(100):
        at_s = index / 25
        if index % 2 == 0:
            reason = Reason.FIRST if index == 0 else Reason.INTERVAL if index % 20 == 0 else None
            depth_reason = Reason.INTERVAL if index % 10 == 0 else None
            models_ms = {} if reason is None else {"encode": 300.0 if index == 80 else 100.0}
            timings_ms = {"flow": 2.0} if index < 50 else {"flow": 2.0, "carry": 8.0}
            stages = {"masks": StageStatus(reason), "depth": StageStatus(depth_reason)}
            shown = result(index, at_s, stages=stages, timings_ms=timings_ms, model_timings_ms=models_ms)
            meter.add(shown, at_s + (0.2 if index >= 90 else 0.05))
    meter.loop_part("draw", 4.0)
    sinks = SimpleNamespace(name="video", written=49, dropped=0), SimpleNamespace(name="masks", written=9, dropped=2)
    summary = json.loads(json.dumps(meter.summary(100, {"stale": 50}, sinks), allow_nan=False))

    assert summary["device"] == "cpu"
    written, dropped = {"video": 49, "masks": 9}, {"stale": 50, "masks too slow": 2}
    assert summary["frames"] == {"read": 100, "shown": 50, "written": written, "dropped": dropped}
    assert summary["duration_s"] == pytest.approx(98 / 25 + 0.15)
    assert summary["frame_rate_hz"] == pytest.approx(49 / (98 / 25 + 0.15), abs=1e-3)
    assert summary["latency_ms"]["p50"] == pytest.approx(50, rel=0.01)
    assert summary["latency_ms"]["p95"] == pytest.approx(200, rel=0.01)
    assert summary["timings_ms"]["flow"]["count"] == 50
    assert summary["timings_ms"]["carry"]["count"] == 25
    assert summary["timings_ms"]["carry"]["p50"] == pytest.approx(8, rel=0.01)
    assert summary["timings_ms"]["draw"]["count"] == 1
    assert set(summary["model_timings_ms"]) == {"encode"}
    assert summary["model_timings_ms"]["encode"]["mean"] == 140
    assert summary["model_timings_ms"]["encode"]["p95"] == pytest.approx(300, rel=0.01)
    masks = summary["stages"]["masks"]
    assert (masks["runs"], masks["reasons"]) == (5, {"interval": 4, "first": 1})
    assert masks["last"][:2] == [{"index": 0, "reason": "first"}, {"index": 20, "reason": "interval"}]
    assert masks["last"][-1] == {"index": 80, "reason": "interval"}
    assert meter.last_reasons() == {"masks": "interval", "depth": "interval"}
    assert summary["stages"]["depth"]["runs"] == 10


def test_an_empty_run_has_a_summary() -> None:
    summary = json.loads(json.dumps(Meter().summary(), allow_nan=False))
    assert summary["frames"] == {"read": 0, "shown": 0, "written": {}, "dropped": {}}
    assert summary["frame_rate_hz"] == 0


def test_memory_does_not_grow_with_the_run() -> None:
    meter = Meter()

    stages = {"masks": StageStatus(Reason.INTERVAL, 0)}

    def feed(first: int, last: int) -> None:
        for index in range(first, last):
            meter.add(result(index, index / 1000, stages=stages, timings_ms={"flow": 1.0}), index / 1000 + 0.01)

    tracemalloc.start()
    try:
        feed(0, 5000)
        before, _ = tracemalloc.get_traced_memory()
        feed(5000, 25_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert meter.summary()["stages"]["masks"]["runs"] == 25_000
    assert len(meter.summary()["stages"]["masks"]["last"]) == 200


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has /proc to compare with")
def test_peak_memory_is_what_the_kernel_says() -> None:
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak_kib,) = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    assert peak_memory_mib() == pytest.approx(peak_kib / 1024, rel=0.05)


def test_stats_are_written_by_rename(tmp_path: Path) -> None:
    path = tmp_path / "new" / "stats.json"
    write_stats(path, {"frames": {"read": 3}})
    assert json.loads(path.read_text()) == {"frames": {"read": 3}}
    assert [entry.name for entry in path.parent.iterdir()] == ["stats.json"]
    with pytest.raises(SinkError, match="is a folder"):
        write_stats(path.parent, {})


def test_ages_are_exact_and_bounded():
    meter = Meter()
    for age in (0, 0, 1, 3, 5000):
        frame = Frame(0, 0.0, np.zeros((4, 6, 3), np.uint8), 0.0)
        meter.add(Result(frame, stages={"masks": StageStatus(age=age), "depth": StageStatus()}), 0.0)
    ages = {name: stage["age_frames"] for name, stage in meter.summary()["stages"].items()}
    assert ages["masks"] == {"count": 5, "p50": 1, "p95": 1000, "p99": 1000, "max": 1000}
    assert ages["depth"] == {"count": 0, "p50": 0, "p95": 0, "p99": 0, "max": 0}
