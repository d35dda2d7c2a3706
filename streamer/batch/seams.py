"""Where two parts of a video overlap: which objects are the same, and what depth of one is that of the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from streamer.data.depth_unit import DepthUnit
from streamer.data.track import DepthStats, Track
from streamer.depth.alignment import align
from streamer.sinks.results import Kept

_SAME = 0.5
"""Overlap of two masks (IoU, over all frames that both parts have) from which they are one object."""
_STEP = 4
"""Every so many rows and columns of depth are compared."""

Pair = tuple[Kept, Kept]
"""What the part before says of a frame, with the numbers and the depth of the whole, and what the next one says."""


class Seam:
    """Turns what a part says into the numbers and the depth of the whole.

    Args:
        pairs: The frames that it shares with the part before; none for the first part.
        numbers: Gives numbers that no object of the whole has.
    """

    def __init__(self, pairs: Sequence[Pair], numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._ids: dict[int, int] = _same_objects(pairs)
        self._scale, self._shift = _same_depth(pairs)

    def across(self, kept: Kept) -> Kept:
        """The same for the whole."""
        tracks = tuple(replace(track, id=self._id_of(track), depth=self._stats(track)) for track in kept["tracks"])
        changed: Kept = {"tracks": tuple(sorted(tracks, key=lambda track: track.id))}
        if kept["depth_map"] is None or kept["depth_unit"] is DepthUnit.METERS:
            return kept | changed
        changed["depth_map"] = (kept["depth_map"] * self._scale + self._shift).astype(np.float32)
        changed["depth_range"] = None if kept["depth_range"] is None else tuple(map(self._depth, kept["depth_range"]))
        return kept | changed

    def _id_of(self, track: Track) -> int:
        if track.id not in self._ids:
            self._ids[track.id] = next(self._numbers)
        return self._ids[track.id]

    def _depth(self, value: float) -> float:
        return float(value * self._scale + self._shift)

    def _stats(self, track: Track) -> DepthStats | None:
        stats = track.depth
        if stats is None or stats.unit is DepthUnit.METERS:
            return stats
        lower, median, upper, now = map(self._depth, (stats.lower, stats.median, stats.upper, stats.now))
        return DepthStats(lower, median, upper, now, stats.unit, stats.error)


def _same_objects(pairs: Sequence[Pair]) -> dict[int, int]:
    """Numbers of the whole by those of the next part, the pairs that overlap most first, each once."""
    both: dict[tuple[int, int], int] = defaultdict(int)
    either: dict[tuple[int, int], int] = defaultdict(int)
    for before, after in pairs:
        for old in before["tracks"]:
            for new in after["tracks"]:
                both[new.id, old.id] += int(np.count_nonzero(old.mask & new.mask))
                either[new.id, old.id] += int(np.count_nonzero(old.mask | new.mask))
    overlaps = {pair: both[pair] / either[pair] for pair in both if both[pair] >= _SAME * either[pair] > 0}
    ids: dict[int, int] = {}
    for new_id, old_id in sorted(overlaps, key=lambda pair: (-overlaps[pair], pair)):
        if new_id not in ids and old_id not in ids.values():
            ids[new_id] = old_id
    return ids


def _same_depth(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Scale and shift that bring relative depth of the next part to that of the whole, as any new map is brought."""
    olds, news = [], []
    for before, after in pairs:
        old, new = before["depth_map"], after["depth_map"]
        if old is not None and new is not None and old.shape == new.shape:
            olds.append(old[::_STEP, ::_STEP].ravel())
            news.append(new[::_STEP, ::_STEP].ravel())
    return align(np.concatenate(news), np.concatenate(olds)) if olds else (1.0, 0.0)
