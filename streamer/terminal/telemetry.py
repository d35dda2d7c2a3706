"""What a run achieved: rates, latency, model times and counts, in memory that does not grow with the run."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.sinks.outputs import replacing

RECENT_S = 2.0
_EVENTS = 200
_SMALLEST_MS, _LARGEST_MS, _STEP = 1e-3, 1e7, 1.02
_BINS = math.ceil(math.log(_LARGEST_MS / _SMALLEST_MS) / math.log(_STEP)) + 1


class Histogram:
    """Percentiles of any number of durations in fixed memory, within 1 % of the true value (bins 2 % wide)."""

    def __init__(self) -> None:
        self.count = 0
        self.sum_ms = 0.0
        self.max_ms = 0.0
        self._bins = np.zeros(_BINS, np.int64)

    def add(self, duration_ms: float) -> None:
        """Count one duration [ms]; below 1 us and above 10^7 ms they fall into the outermost bins."""
        position = math.log(max(duration_ms, _SMALLEST_MS) / _SMALLEST_MS) / math.log(_STEP)
        self._bins[min(int(position), _BINS - 1)] += 1
        self.count += 1
        self.sum_ms += duration_ms
        self.max_ms = max(self.max_ms, duration_ms)

    def percentile(self, percent: float) -> float:
        """The duration that ``percent`` of all are not longer than [ms]; 0 where nothing was added."""
        if self.count == 0:
            return 0.0
        rank = max(math.ceil(self.count * percent / 100), 1)
        bin_index = int(np.searchsorted(np.cumsum(self._bins), rank))
        return min(_SMALLEST_MS * _STEP ** (bin_index + 0.5), self.max_ms)

    def summary(self) -> dict[str, float]:
        """count, mean, p50, p95, p99 and max [ms]."""
        mean_ms = self.sum_ms / self.count if self.count else 0.0
        percentiles = {f"p{percent}": round(self.percentile(percent), 3) for percent in (50, 95, 99)}
        return {"count": self.count, "mean": round(mean_ms, 3), **percentiles, "max": round(self.max_ms, 3)}


class Ages:
    """How old what is on the screen is, in frames: exact counts, those beyond 1,000 frames together."""

    _OLDEST = 1000

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, age: int) -> None:
        """Count one frame on which something was so old [frames]."""
        self._counts[min(age, self._OLDEST)] += 1

    def summary(self) -> dict[str, int]:
        """count, p50, p95, p99 and max [frames]."""
        total = self._counts.total()
        ages, counts = np.array(sorted(self._counts.items()), int).reshape(-1, 2).T
        reached = np.cumsum(counts)
        percentiles = {
            f"p{percent}": int(ages[np.searchsorted(reached, math.ceil(total * percent / 100))]) if total else 0
            for percent in (50, 95, 99)
        }
        return {"count": total, **percentiles, "max": max(self._counts, default=0)}


class Rate:
    """Events per second, over the whole run and over its last moments. At most 2,000 recent events are kept."""

    def __init__(self) -> None:
        self.count = 0
        self._first_s = 0.0
        self._recent_s: deque[float] = deque(maxlen=2000)

    def add(self, at_s: float) -> None:
        """Count one event at this reading of the monotonic clock [s]."""
        if self.count == 0:
            self._first_s = at_s
        self.count += 1
        self._recent_s.append(at_s)
        while self._recent_s[0] < at_s - RECENT_S:
            self._recent_s.popleft()

    @property
    def duration_s(self) -> float:
        """Time from the first event to the last [s]."""
        return self._recent_s[-1] - self._first_s if self._recent_s else 0.0

    @property
    def mean_hz(self) -> float:
        """Rate from the first event to the last."""
        return _rate_hz(self.count, self.duration_s)

    def recent_hz(self, now_s: float | None = None) -> float:
        """Rate over the last 2 seconds before the last event; 0 where the last one is older than that by ``now_s``."""
        if not self._recent_s or (now_s is not None and now_s - self._recent_s[-1] > RECENT_S):
            return 0.0
        return _rate_hz(len(self._recent_s), self._recent_s[-1] - self._recent_s[0])


def _rate_hz(count: int, duration_s: float) -> float:
    return (count - 1) / duration_s if duration_s > 0 else 0.0


class StageMeter:
    """How one slow kind of model fares: why it was asked, and how old what it shows is."""

    def __init__(self) -> None:
        self.last: tuple[int, Reason] | None = None
        self._reasons: Counter[str] = Counter()
        self._events: deque[tuple[int, Reason]] = deque(maxlen=_EVENTS)
        self._ages = Ages()

    def add(self, index: int, status: StageStatus) -> None:
        """Take in how it stood on one frame."""
        if status.reason is not None:
            self._reasons[status.reason] += 1
            self.last = index, status.reason
            self._events.append(self.last)
        if status.age is not None:
            self._ages.add(status.age)

    def summary(self) -> dict[str, Any]:
        """runs, reasons, the last runs with their reasons, and ages [frames]."""
        return {
            "runs": self._reasons.total(),
            "reasons": dict(self._reasons.most_common()),
            "last": [{"index": index, "reason": reason} for index, reason in self._events],
            "age_frames": self._ages.summary(),
        }


class Meter:
    """Listens to a run. May be fed and asked from several threads.

    Attributes:
        device: What the models run on, for people.
        shown: Frames that came out of the pipeline.
        latency: Capture to display [ms].
    """

    def __init__(self, device: str = "") -> None:
        self.device = device
        self.shown = Rate()
        self.latency = Histogram()
        self.stages: dict[str, StageMeter] = {}
        self._dropped: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._loop: dict[str, Histogram] = {}
        self._models: dict[str, Histogram] = {}
        self._lock = threading.Lock()

    def add(self, result: Result, shown_at_s: float) -> None:
        """Take in one frame that was handed to the sinks at this reading of the monotonic clock [s]."""
        with self._lock:
            self.shown.add(shown_at_s)
            self.latency.add((shown_at_s - result.frame.captured_at_s) * 1e3)
            for times, durations_ms in ((self._loop, result.timings_ms), (self._models, result.model_timings_ms)):
                for name, duration_ms in durations_ms.items():
                    times.setdefault(name, Histogram()).add(duration_ms)
            for name, status in result.stages.items():
                self.stages.setdefault(name, StageMeter()).add(result.index, status)

    def frames_written(self, sink: str, count: int = 1) -> None:
        """Count frames that this sink wrote."""
        with self._lock:
            self._written[sink] += count

    def frames_dropped(self, cause: str, count: int = 1) -> None:
        """Count frames that were left out, and why."""
        with self._lock:
            self._dropped[cause] += count

    def loop(self, name: str, duration_ms: float) -> None:
        """Take in what the frame loop spent outside the pipeline: "wait", "draw", "show", "write" [ms]."""
        with self._lock:
            self._loop.setdefault(name, Histogram()).add(duration_ms)

    def summary(self, frames_read: int = 0, drops: Mapping[str, int] = MappingProxyType({})) -> dict[str, Any]:
        """Everything so far, ready for JSON; times in ms, rates in Hz, memory in MiB.

        Args:
            frames_read: Frames that the source gave, shown later or not.
            drops: Frames left out on the way here, by cause.
        """
        with self._lock:
            dropped = {cause: count for cause, count in (self._dropped | Counter(drops)).items() if count}
            return {
                "device": self.device,
                "frames": {
                    "read": frames_read,
                    "shown": self.shown.count,
                    "written": dict(self._written),
                    "dropped": dropped,
                },
                "duration_s": round(self.shown.duration_s, 3),
                "frame_rate_hz": round(self.shown.mean_hz, 3),
                "recent_frame_rate_hz": round(self.shown.recent_hz(), 3),
                "latency_ms": self.latency.summary(),
                "loop_ms": _summaries(self._loop),
                "models_ms": _summaries(self._models),
                "stages": {name: stage.summary() for name, stage in self.stages.items()},
                "peak_memory_mib": peak_memory_mib(),
            }


def _summaries(histograms: Mapping[str, Histogram]) -> dict[str, dict[str, float]]:
    return {name: histogram.summary() for name, histogram in histograms.items()}


def peak_memory_mib() -> float | None:
    """The most memory this process has held so far [MiB]; None on Windows, which does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def write_stats(path: Path, summary: Mapping[str, Any]) -> None:
    """Write a summary as JSON.

    Raises:
        SinkError: The file cannot be written.
    """
    with replacing(path) as partial:
        partial.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n", encoding="utf-8")
