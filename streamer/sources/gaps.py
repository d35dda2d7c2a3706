"""Where frames are missing from a recording of a steady rate."""

from __future__ import annotations

from collections import Counter

_REGULAR = 0.8
"""The part of all steps that must be alike: what varies more was recorded so (screens, cameras in the dark)."""
_ALIKE = 0.3
"""How far a step may be from the usual one and still count as alike; clocks of 1 ms round 60 Hz by 4 %."""
_FEWEST = 8
"""Steps from which a rate can be told."""
_MOST = 10_000
"""Long steps that are kept."""
_TOLD = 5


class Gaps:
    """Looks at the times of frames as they come."""

    def __init__(self) -> None:
        self._steps: Counter[float] = Counter()
        self._long: list[tuple[float, float]] = []
        self._usual_s = 0.0
        self._last_s: float | None = None

    def add(self, time_s: float) -> None:
        """The time of the next frame [s]."""
        if self._last_s is not None:
            step_s = round(time_s - self._last_s, 4)
            self._steps[step_s] += 1
            self._usual_s = max(self._usual_s, step_s, key=self._steps.__getitem__)
            early = self._steps.total() < _FEWEST  # the usual step is not known yet
            if (early or step_s > (1 + _ALIKE) * self._usual_s) and len(self._long) < _MOST:
                self._long.append((self._last_s, step_s))
            elif step_s < _ALIKE * self._usual_s and self._long:  # one of those that were missing comes late
                at_s, long_s = self._long[-1]
                self._long[-1] = at_s, long_s - self._usual_s
        self._last_s = time_s

    def found(self) -> list[tuple[float, int]]:
        """When frames are missing [s], and how many; nothing where the rate varies by itself."""
        total, usual_s = self._steps.total(), self._usual_s
        if total < _FEWEST:
            return []
        alike = sum(count for step_s, count in self._steps.items() if abs(step_s - usual_s) <= _ALIKE * usual_s)
        if not usual_s or alike < _REGULAR * total:
            return []
        missing = [(time_s, round(step_s / usual_s) - 1) for time_s, step_s in self._long]
        return [(time_s, count) for time_s, count in missing if count > 0]


def in_words(gaps: list[tuple[float, int]]) -> str:
    """``3 frames are missing after 1.24 s and 1 after 7.00 s``."""
    places = [f"{count} after {time_s:.2f} s" for time_s, count in gaps[:_TOLD]]
    if len(gaps) > _TOLD:
        places.append(f"others at {len(gaps) - _TOLD} more places")
    *first, last = places
    total = sum(count for _, count in gaps)
    said = f"{', '.join(first)} and {last}" if first else last
    return f"{total} {'frame is' if total == 1 else 'frames are'} missing: {said}"
