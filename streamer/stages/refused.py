"""Things that a detector found and a person deleted: where they are now, so that they do not come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamer.data.detection import Detection
from streamer.data.track import Track
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.stages.carrying import carry
from streamer.tracking.association import is_same

MISSES = 3
"""Looks in a row that do not find a refused thing, after which whatever appears there is another one."""


@dataclass(slots=True)
class _Refusal:
    thing: Detection
    anchor: Anchor
    misses: int = 0


class Refused:
    """Follows what was deleted by the flow, and from look to look by what the detector finds there."""

    def __init__(self) -> None:
        self._refusals: dict[int, _Refusal] = {}

    def add(self, track: Track, motion: Motion) -> None:
        """A person has deleted what was shown as this track on the frame before."""
        if track.label is not None and track.box_xyxy is not None:
            thing = Detection(track.label, track.score, track.box_xyxy)
            self._refusals[track.id] = _Refusal(thing, motion.open())

    def take_back(self, object_ids: Iterable[int]) -> set[int]:
        """Those of these objects that are no longer refused, since a person has brought them back."""
        back = self._refusals.keys() & set(object_ids)
        for object_id in back:
            del self._refusals[object_id]
        return back

    def left(self, detections: Sequence[Detection], motion: Motion) -> list[Detection]:
        """The detections on the present frame that are of nothing refused."""
        left = list(detections)
        for object_id, refusal in list(self._refusals.items()):
            here = carry(refusal.thing, refusal.anchor)
            same = [one for one in left if here is not None and is_same(one, here)]
            misses = 0 if same else refusal.misses + 1
            if here is None or misses >= MISSES:
                del self._refusals[object_id]
                continue
            self._refusals[object_id] = _Refusal(same[0] if same else here, motion.open(), misses)
            left = [one for one in left if one not in same]
        return left

    def forget(self) -> None:
        """Nothing is refused any more."""
        self._refusals.clear()
