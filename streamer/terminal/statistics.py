"""Percentiles, ages and rates of any number of frames, in memory that does not grow."""

from __future__ import annotations

import math
from collections import Counter, deque

import numpy as np

RECENT_S = 2.0
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
