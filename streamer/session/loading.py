"""What is seen of a source while the models are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from streamer.data.frame import Frame
from streamer.sources.reader import Reader

_FIRST_FRAME_S = 1.0
"""Longest wait for the first frame before the models begin to load without it [s]."""
_LOOK_EVERY_S = 0.1
"""Importing them needs the interpreter, which more looks would take away again and again [s]."""


def frames_until(loaded_within: Callable[[float], bool], reader: Reader) -> Iterator[Frame | None]:
    """The first frame, then the newest one now and then until all is loaded; None where there is no new one.

    Args:
        loaded_within: Waits at most so long [s] for the models, and tells whether they are there. They begin to load
            with the first wait.
        reader: Of the source.
    """
    yield reader.peek(_FIRST_FRAME_S)
    while not loaded_within(_LOOK_EVERY_S):
        yield reader.get(0)
