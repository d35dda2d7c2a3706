"""What a detector finds of what it was told to look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.errors import PromptError

Box = tuple[float, float, float, float]

SEPARATORS = ";\n"
MAX_PHRASES = 40
"""At once: open-vocabulary detectors read all of them as one text of some hundred words."""
MAX_PHRASE_CHARACTERS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One thing on one image.

    Attributes:
        label: The phrase that it answers.
        score: How sure the detector is, 0 to 1.
        box_xyxy: x0, y0, x1, y1 [px of the image], x1 and y1 exclusive.
        mask: ``(H, W)`` bool on the image, where the detector gives one; None where it gives boxes only.
        point: (x, y) on the thing [px of the image], where the detector is surer of it than of the box's sides.
    """

    label: str
    score: float
    box_xyxy: Box
    mask: NDArray[np.bool_] | None = None
    point: tuple[float, float] | None = None

    def prompt(self) -> Prompt:
        """What a segmenter or tracker is told of it."""
        if self.mask is not None:
            return Prompt(mask=self.mask, label=self.label)
        return Prompt(None if self.point is None else [self.point], box=self.box_xyxy, label=self.label)

    def __repr__(self) -> str:
        corners = ", ".join(f"{corner:.0f}" for corner in self.box_xyxy)
        return f"Detection({self.label!r}, score={self.score:.2f}, box_xyxy=({corners}))"


def phrases_of(text: str | Sequence[str]) -> tuple[str, ...]:
    """The phrases of "person; red ball", or of a sequence of them: each once, in their order, in single spaces.

    Raises:
        PromptError: One is empty or very long, or there are very many.
    """
    parts = [text] if isinstance(text, str) else list(text)
    for separator in SEPARATORS:
        parts = [piece for part in parts for piece in part.split(separator)]
    phrases = [" ".join(part.split()) for part in parts]
    if not all(phrases):
        raise PromptError('A phrase is empty: write words between the semicolons, as in "person; red ball".')
    for phrase in phrases:
        if len(phrase) > MAX_PHRASE_CHARACTERS:
            raise PromptError(
                f"A phrase of {len(phrase.split())} words and {len(phrase)} characters is no name of a thing: "
                f'say a few words for each, up to {MAX_PHRASE_CHARACTERS} characters, as in "person; red ball".'
            )
    if len(set(phrases)) > MAX_PHRASES:
        raise PromptError(f"{len(set(phrases))} phrases are too many at once: give up to {MAX_PHRASES}.")
    return tuple(dict.fromkeys(phrases))
