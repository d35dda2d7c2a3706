"""SAM is asked about what a person said, and its answer is put to use so that every click makes things better.

The first click, or a box, makes a mask. Every further click corrects it, and only where it was made: of all that SAM
would change, the piece that was clicked on is taken over, and the rest stays as it was. What was clicked is in the mask
afterwards, or out of it, whatever SAM says. Runs where the encoder runs, on its arguments alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.data.prompt import FOREGROUND, MaskLevel, Prompt
from streamer.models.protocols import Decoded, Embedding
from streamer.models.stability import stability
from streamer.motion.pyramid import Grid
from streamer.tracking.parameters import CLICK_RADIUS_PX, DRAWN_BOX_WEIGHT, STABILITY_WEIGHT
from streamer.tracking.snapping import snapped
from streamer.tracking.soft_masks import INSIDE, Mask, SoftMask, box_overlap, overlap, pieces_of, soft

Image = NDArray[np.uint8]
Logits = NDArray[np.float32]


class Decoder(Protocol):
    """The part of a segmenter that answers prompts."""

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded: ...

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True, eq=False)
class ClickRequest:
    """What a person said about one object, as of some frame.

    Attributes:
        object_id: The object.
        prompt: All clicks and the box that was drawn, in pixels of that frame.
        level: Whether a part or the whole is meant.
        base: ``(h, w)`` uint8 soft mask on the grid that is to be corrected; None for a new object.
        fresh: So many of the last clicks have not been answered yet.
    """

    object_id: int
    prompt: Prompt
    level: MaskLevel = "auto"
    base: SoftMask | None = None
    fresh: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ClickAnswer:
    """The mask that a person gets.

    Attributes:
        request: What was asked.
        soft_mask: ``(h, w)`` uint8 on the grid.
        predicted_iou: SAM's own estimate.
    """

    request: ClickRequest
    soft_mask: SoftMask
    predicted_iou: float


def answer(
    decoder: Decoder,
    embedding: Embedding,
    requests: Sequence[ClickRequest],
    image_rgb: Image,
    grid: Grid,
    passes: int,
) -> list[ClickAnswer]:
    """One mask for each request.

    Args:
        decoder: Of the segmenter that made the embedding.
        embedding: Of the frame.
        requests: One for each object.
        image_rgb: ``(h, w, 3)`` uint8, the frame on the grid.
        grid: What masks are kept on.
        passes: How often SAM is asked about a new object: first with what was said, then with its own answer and the
            box around it as well.
    """
    return [
        _new(decoder, embedding, each, image_rgb, grid, passes)
        if each.base is None
        else _corrected(decoder, embedding, each, each.base, grid)
        for each in requests
    ]


def _new(
    decoder: Decoder, embedding: Embedding, request: ClickRequest, image_rgb: Image, grid: Grid, passes: int
) -> ClickAnswer:
    prompt = request.prompt
    drawn = None if prompt.box is None else grid.from_frame(prompt.box.reshape(2, 2)).ravel()
    candidates = _candidates(decoder, embedding, prompt, grid)
    best = _of_level(candidates, request.level, drawn)
    for _ in range(passes - 1):
        prompt = _next_prompt(prompt, best, grid)
        candidates = _candidates(decoder, embedding, prompt, grid)
        best = _surest(candidates, drawn) if request.level == "auto" else _closest(candidates, best)
    soft_mask, predicted_iou = soft(best.logits), best.predicted_iou
    meant = _clicked_pieces(soft_mask, request.prompt, grid) if drawn is None else snapped(soft_mask, image_rgb)
    return ClickAnswer(request, _with_clicks(meant, request.prompt, grid), predicted_iou)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """One of SAM's masks: ``(h, w)`` logits on the grid and at low resolution."""

    logits: Logits
    low: Logits
    predicted_iou: float

    @property
    def worth(self) -> float:
        """How good it is thought to be."""
        return self.predicted_iou + STABILITY_WEIGHT * stability(self.logits)


def _candidates(decoder: Decoder, embedding: Embedding, prompt: Prompt, grid: Grid) -> list[_Candidate]:
    decoded = decoder.decode(embedding, [prompt])
    large = decoder.upscale(decoded.logits[0], grid.size)
    return [
        _Candidate(logits, low, float(score))
        for logits, low, score in zip(large, decoded.logits[0], decoded.scores[0], strict=True)
    ]


def _of_level(candidates: Sequence[_Candidate], level: MaskLevel, drawn: NDArray[np.float32] | None) -> _Candidate:
    """The smallest or the largest candidate, or the one that SAM is surest of."""
    if level == "auto":
        return _surest(candidates, drawn)
    return (min if level == "part" else max)(candidates, key=lambda one: np.count_nonzero(one.logits > 0))


def _surest(candidates: Sequence[_Candidate], drawn: NDArray[np.float32] | None) -> _Candidate:
    """The best candidate; one that fits a box that was drawn, ``(4,)`` [px of the grid], is better."""
    if drawn is None:
        return max(candidates, key=lambda one: one.worth)
    return max(candidates, key=lambda one: one.worth + DRAWN_BOX_WEIGHT * box_overlap(drawn, box_of(one.logits > 0)))


def _closest(candidates: Sequence[_Candidate], last: _Candidate) -> _Candidate:
    """The candidate of the same level as the last answer: the one that is most like it."""
    return max(candidates, key=lambda one: overlap(one.logits > 0, last.logits > 0))


def _next_prompt(prompt: Prompt, answer: _Candidate, grid: Grid) -> Prompt:
    tight = box_of(answer.logits > 0)
    box = prompt.box if tight is None else grid.to_frame(np.asarray(tight, np.float32).reshape(2, 2) - 0.5).ravel()
    return Prompt(prompt.point_coords, prompt.point_labels, box, mask_input=answer.low)


def _corrected(
    decoder: Decoder, embedding: Embedding, request: ClickRequest, base: SoftMask, grid: Grid
) -> ClickAnswer:
    soft_mask, predicted_iou, count = base, 1.0, len(request.prompt.point_coords)
    for place in range(count - request.fresh, count):
        said = Prompt(request.prompt.point_coords[: place + 1], request.prompt.point_labels[: place + 1])
        soft_mask, predicted_iou = _after_click(decoder, embedding, said, soft_mask, grid)
    return ClickAnswer(request, _with_clicks(soft_mask, request.prompt, grid), predicted_iou)


def _after_click(
    decoder: Decoder, embedding: Embedding, said: Prompt, base: SoftMask, grid: Grid
) -> tuple[SoftMask, float]:
    """The mask after the last click of what was said."""
    x, y = _pixel(said.point_coords[-1], grid)
    wanted = bool(said.point_labels[-1] == FOREGROUND)
    inside = base > INSIDE
    if inside[y, x] == wanted:
        return base, 1.0
    mask_input = decoder.mask_input(np.divide(base, 255, dtype=np.float32), embedding.image_size)
    asked = Prompt(said.point_coords, said.point_labels, mask_input=mask_input)
    candidates = _candidates(decoder, embedding, asked, grid)
    fitting = [one for one in candidates if bool(one.logits[y, x] > 0) == wanted]
    if not fitting:
        return base, 1.0
    best = max(fitting, key=lambda one: one.worth)
    piece = _piece_at((best.logits > 0) != inside, x, y)
    return np.where(piece, soft(best.logits), base), best.predicted_iou


def _piece_at(mask: Mask, x: int, y: int) -> Mask:
    """The connected piece of a mask in which a pixel lies."""
    _, pieces = cv2.connectedComponents(mask.view(np.uint8))
    return pieces == pieces[y, x]


def _pixel(point: NDArray[np.float32], grid: Grid) -> tuple[int, int]:
    """The pixel (x, y) of the grid in which a point of the frame lies."""
    x, y = np.rint(grid.from_frame(point[None])[0]).astype(int)
    width, height = grid.size
    return int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1))


def _clicked_pieces(soft_mask: SoftMask, prompt: Prompt, grid: Grid) -> SoftMask:
    """The mask without pieces on which nobody clicked, where one of them was clicked on: they are something else."""
    pieces, _ = pieces_of(soft_mask)
    wanted = prompt.point_coords[prompt.point_labels == FOREGROUND]
    clicked = {pieces[y, x] for x, y in (_pixel(point, grid) for point in wanted)} - {0}
    if not clicked:
        return soft_mask
    return np.where(np.isin(pieces, [0, *clicked]), soft_mask, 0)


def _with_clicks(soft_mask: SoftMask, prompt: Prompt, grid: Grid) -> SoftMask:
    """The mask in which every click is as it was meant, with a small disc around it where SAM would not have it."""
    for point, label in zip(prompt.point_coords, prompt.point_labels, strict=True):
        x, y = _pixel(point, grid)
        if (soft_mask[y, x] > INSIDE) != (label == FOREGROUND):
            soft_mask = soft_mask.copy()
            cv2.circle(soft_mask, (x, y), CLICK_RADIUS_PX, 255 if label == FOREGROUND else 0, -1)
    return soft_mask
