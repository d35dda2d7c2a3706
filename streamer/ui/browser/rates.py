"""How often somebody may ask: token buckets, in memory that does not grow."""

from __future__ import annotations

from collections import OrderedDict

_MOST_KNOWN = 1024


class Bucket:
    """Lets ``rate_hz`` per second through, and ``burst`` at once.

    Args:
        rate_hz: Refilled at this rate.
        burst: How much it holds.
    """

    def __init__(self, rate_hz: float, burst: float) -> None:
        self._rate_hz, self._burst = rate_hz, burst
        self._left, self._at_s = burst, -float("inf")

    def take(self, now_s: float) -> bool:
        """Whether one more may pass at this reading of a monotonic clock [s]; it is counted if so."""
        self._left = self.left(now_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def left(self, now_s: float) -> float:
        """How many more may pass."""
        return min(self._burst, self._left + (now_s - self._at_s) * self._rate_hz)


class Buckets:
    """A bucket for everyone, by name; the ones that were used longest ago are forgotten."""

    def __init__(self, rate_hz: float, burst: float) -> None:
        self._rate_hz, self._burst = rate_hz, burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, name: str) -> Bucket:
        """The bucket of whoever has that name."""
        bucket = self._buckets.pop(name, None) or Bucket(self._rate_hz, self._burst)
        self._buckets[name] = bucket
        while len(self._buckets) > _MOST_KNOWN:
            self._buckets.popitem(last=False)
        return bucket
