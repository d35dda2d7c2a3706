"""What objects are called, as numbers: for formats that know categories."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.data.result import Result
from streamer.data.track import State, Track

UNNAMED = "object"
"""The category of what nobody has given a label."""


class Categories:
    """Labels in the order in which they first came.

    Args:
        names: Those that are known from the start.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(dict.fromkeys(names))

    def number_of(self, track: Track) -> int:
        """The number of its label, from 0; a new one for a label that has not been seen before."""
        name = track.label or UNNAMED
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def sure_tracks(result: Result) -> list[Track]:
    """The objects that are worth being learnt from: tracked, and in view."""
    return [track for track in result.tracks if track.state is State.TRACKED and track.box_xyxy is not None]
