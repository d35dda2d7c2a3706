"""What a run achieved: rates, latency, model times and counts, in memory that does not grow with the run."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from streamer.data.result import Result, StageStatus
from streamer.sinks.base import Sink
from streamer.sinks.outputs import STDOUT, replacing
from streamer.terminal.statistics import Ages, Histogram, Rate

_EVENTS = 200


class StageMeter:
    """How often one slow kind of model was asked, and why; and how old what it showed was."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()
        self._runs: deque[tuple[int, str]] = deque(maxlen=_EVENTS)
        self._ages = Ages()

    @property
    def last_reason(self) -> str | None:
        """Why it was asked last; None before the first time."""
        return self._runs[-1][1] if self._runs else None

    def add(self, index: int, status: StageStatus) -> None:
        """Take in how it stood on the frame of this index."""
        if status.reason is not None:
            self._reasons[status.reason] += 1
            self._runs.append((index, status.reason))
        if status.age is not None:
            self._ages.add(status.age)

    def summary(self) -> dict[str, Any]:
        """runs, reasons, the last runs, and the ages of what was shown [frames]."""
        return {
            "runs": self._reasons.total(),
            "reasons": dict(self._reasons.most_common()),
            "last": [{"index": index, "reason": reason} for index, reason in self._runs],
            "age_frames": self._ages.summary(),
        }


class Meter:
    """Listens to a run. May be fed and asked from several threads.

    Args:
        device: What the models run on, for people; or what tells it, where that is not known before they are loaded.

    Attributes:
        shown: Frames that came out of the pipeline.
        latency: Capture to display [ms].
    """

    def __init__(self, device: str | Callable[[], str] = "") -> None:
        self._device = device
        self.shown = Rate()
        self.latency = Histogram()
        self._parts: dict[str, Histogram] = {}
        self._models: dict[str, Histogram] = {}
        self._stages: dict[str, StageMeter] = {}
        self._lock = threading.Lock()

    @property
    def device(self) -> str:
        """What the models run on, for people."""
        return self._device if isinstance(self._device, str) else self._device()

    def add(self, result: Result, shown_at_s: float) -> None:
        """Take in one frame that was handed to the sinks at this reading of the monotonic clock [s]."""
        with self._lock:
            self.shown.add(shown_at_s)
            self.latency.add((shown_at_s - result.frame.captured_at_s) * 1e3)
            for part, duration_ms in result.timings_ms.items():
                self._parts.setdefault(part, Histogram()).add(duration_ms)
            for call, duration_ms in result.model_timings_ms.items():
                self._models.setdefault(call, Histogram()).add(duration_ms)
            for name, status in result.stages.items():
                self._stages.setdefault(name, StageMeter()).add(result.index, status)

    def loop_part(self, name: str, duration_ms: float) -> None:
        """Take in what the frame loop spent outside the pipeline: "wait", "draw", "show", "write" [ms]."""
        with self._lock:
            self._parts.setdefault(name, Histogram()).add(duration_ms)

    def last_reasons(self) -> dict[str, str]:
        """Why each slow model was asked last, by the name of its stage; those that never were are left out."""
        with self._lock:
            return {name: stage.last_reason for name, stage in self._stages.items() if stage.last_reason is not None}

    def summary(
        self, frames_read: int = 0, drops: Mapping[str, int] = MappingProxyType({}), sinks: Iterable[Sink] = ()
    ) -> dict[str, Any]:
        """Everything so far, ready for JSON; times in ms, rates in Hz, memory in MiB.

        Args:
            frames_read: Frames that the source gave, shown later or not.
            drops: Frames left out on the way here, by cause.
            sinks: Where results go: each counts what it writes and leaves out.
        """
        written, dropped = Counter[str](), Counter(drops)
        for sink in sinks:
            written[sink.name] += sink.written
            dropped[f"{sink.name} too slow"] += sink.dropped
        with self._lock:
            return {
                "device": self.device,
                "frames": {
                    "read": frames_read,
                    "shown": self.shown.count,
                    "written": dict(written),
                    "dropped": {cause: count for cause, count in dropped.items() if count},
                },
                "duration_s": round(self.shown.duration_s, 3),
                "frame_rate_hz": round(self.shown.mean_hz, 3),
                "recent_frame_rate_hz": round(self.shown.recent_hz(), 3),
                "latency_ms": self.latency.summary(),
                "timings_ms": {name: histogram.summary() for name, histogram in self._parts.items()},
                "model_timings_ms": {name: histogram.summary() for name, histogram in self._models.items()},
                "stages": {name: stage.summary() for name, stage in self._stages.items()},
                "peak_memory_mib": peak_memory_mib(),
            }


def peak_memory_mib() -> float | None:
    """The most memory this process has held so far [MiB]; None on Windows, which does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def write_stats(path: Path, summary: Mapping[str, Any]) -> None:
    """Write a summary as JSON; `STDOUT` stands for the standard output.

    Raises:
        SinkError: The file cannot be written.
    """
    if path == STDOUT:
        print(json.dumps(summary, indent=2, allow_nan=False), flush=True)
        return
    with replacing(path) as partial:
        partial.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n", encoding="utf-8")
