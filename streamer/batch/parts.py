"""A long video as parts that several workers can do at once; each begins a little before the one before it ends."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.sources.length import packets_in

OVERLAP = 24
"""Frames that a part shares with the one before: objects are found by then, and depth has settled."""
_SHORTEST = 2 * OVERLAP
"""No part is shorter: it would be overlap mostly [frames]."""


@dataclass(frozen=True, slots=True)
class Part:
    """Frames of a video, by their numbers.

    Attributes:
        number: Of the part, from 1.
        of: How many there are.
        first: Where it begins to look; what it says before ``begin`` is for finding out which objects are the same.
        begin: Its own first frame.
        end: The next part's; None for the last, which goes to the end of the video.
    """

    number: int
    of: int
    first: int
    begin: int
    end: int | None

    @property
    def frames(self) -> tuple[int, int | None]:
        """What is to be read."""
        return self.first, self.end


def parts_of(source: str, wanted: int) -> list[Part]:
    """A video in at most so many parts of equal length; a short one in fewer.

    Raises:
        SourceError: It is no video file.
    """
    count = packets_in(source)
    of = max(1, min(wanted, count // _SHORTEST))
    begins = [count * number // of for number in range(of)]
    ends = [*begins[1:], None]
    return [
        Part(number, of, max(0, begin - OVERLAP), begin, end)
        for number, (begin, end) in enumerate(zip(begins, ends, strict=True), 1)
    ]
