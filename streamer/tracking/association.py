"""Which detection is of which track: a pure function of what was detected and what is followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from streamer.data.detection import Box, Detection
from streamer.data.track import State, Track

MIN_IOU = 0.3
"""Of a detection's box with a track's, from which they may be of one thing; 0.3 as in SORT (Bewley et al., 2016)."""
INSIDE = 0.7
"""Share of the smaller box inside of the larger one, from which they may be as well: a mask of a part, or of more."""
ANOTHER_NAME = 0.7
"""IoU of boxes from which two things of different names are one that is called both: a hat fills no man's box."""
NAMELESS = 0.5
"""The same for something that has no name yet, and gets this one."""


@dataclass(frozen=True, slots=True)
class Association:
    """What becomes of detections and tracks.

    Attributes:
        confirmed: Places of detections by the id of the track of their label that they bear out, each once.
        new: Places of the detections that nothing followed explains.
        denied: Ids of the tracks with a label that was looked for, which no detection bears out.
        named: Places of detections by the id of the track without a label that is what they say, each once.
    """

    confirmed: Mapping[int, int]
    new: tuple[int, ...]
    denied: tuple[int, ...]
    named: Mapping[int, int]


def associate(detections: Sequence[Detection], tracks: Sequence[Track], others: Sequence[Track] = ()) -> Association:
    """Give each detection to at most one track of its label, those that overlap most first.

    A detection of a thing that another one has borne out already, or that is a new one already, is dropped, and so is
    one that fills the same box as something that has another label. What has no label gets that of the detection that
    overlaps it most. Lost tracks are neither borne out nor denied.

    Args:
        detections: The surest first.
        tracks: With labels that were looked for.
        others: All else that is followed.
    """
    followed = [track for track in tracks if track.label is not None and track.state is not State.LOST]
    boxes = {track.id: track.box_xyxy for track in followed if track.box_xyxy is not None}
    labels = {track.id: track.label for track in followed}
    pairs = [
        (overlap(detection.box_xyxy, box), place, object_id)
        for place, detection in enumerate(detections)
        for object_id, box in boxes.items()
        if labels[object_id] == detection.label
    ]
    confirmed: dict[int, int] = {}
    explained = {place for amount, place, _ in pairs if amount > 0}
    taken: set[int] = set()
    for amount, place, object_id in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if amount > 0 and object_id not in confirmed and place not in taken:
            confirmed[object_id] = place
            taken.add(place)
    shown = [track for track in (*tracks, *others) if track.state is not State.LOST and track.box_xyxy]
    named = _named(detections, shown, explained)
    explained |= set(named.values())
    boxes_shown = [track.box_xyxy for track in shown if track.box_xyxy is not None]
    new: list[int] = []
    for place, detection in enumerate(detections):
        is_known = any(is_one_box(detection.box_xyxy, box) for box in boxes_shown)
        if place in explained or is_known or any(is_same(detection, detections[other]) for other in new):
            continue
        new.append(place)
    denied = tuple(object_id for object_id in boxes if object_id not in confirmed)
    return Association(confirmed, tuple(new), denied, named)


def _named(detections: Sequence[Detection], tracks: Sequence[Track], explained: Set[int]) -> dict[int, int]:
    """Places of the detections that say what those of these tracks are that have no label, by their ids."""
    named: dict[int, int] = {}
    for track in tracks:
        if track.label is not None or track.box_xyxy is None:
            continue
        overlaps = {place: overlap(one.box_xyxy, track.box_xyxy) for place, one in enumerate(detections)}
        open_ = overlaps.keys() - explained - set(named.values())
        best = max(sorted(open_), key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] >= NAMELESS:
            named[track.id] = best
    return named


def overlap(one: Box, other: Box) -> float:
    """IoU of two boxes, at least `MIN_IOU` where one mostly lies inside of the other; 0 where they are two things."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    iou = shared / (sum(areas) - shared)
    if iou < MIN_IOU and shared < INSIDE * min(areas):
        return 0.0
    return float(np.clip(iou, MIN_IOU, 1.0))


def is_same(one: Detection, other: Detection) -> bool:
    """Whether two detections are of one thing."""
    if one.label != other.label:
        return is_one_box(one.box_xyxy, other.box_xyxy)
    return overlap(one.box_xyxy, other.box_xyxy) > 0


def is_one_box(one: Box, other: Box) -> bool:
    """Whether two boxes are of one thing whatever it is called."""
    return overlap(one, other) >= ANOTHER_NAME
