"""SAM is asked, and the best of its candidate masks is chosen. Runs where the encoder runs, on its arguments alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.models.protocols import Decoded, Embedding
from streamer.motion.pyramid import Grid, sparse
from streamer.tracking.appearance import Appearance, ImageFeatures, bins_of, similarity, without_foreign_pieces
from streamer.tracking.parameters import (
    BESIDE_PX,
    DRAWN_BOX_WEIGHT,
    LOGIT_RANGE,
    PREDICTED_IOU_SHARE,
    SEARCH_PLACES,
    STABILITY_OFFSET,
    PromptingParameters,
    RankingWeights,
    TrackingParameters,
)
from streamer.tracking.prompting import Box, PromptRequest
from streamer.tracking.redetection import most_similar_spot, places_of
from streamer.tracking.snapping import snapped
from streamer.tracking.soft_masks import INSIDE, SoftMask, area_of, overlap

Image = NDArray[np.uint8]


class Decoder(Protocol):
    """The part of a segmenter that answers prompts."""

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded: ...

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...

    def features(self, embedding: Embedding) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True, eq=False)
class MaskCandidate:
    """What SAM said of one object: the mask chosen among its candidates.

    Attributes:
        request: What was asked.
        soft_mask: ``(h, w)`` uint8 on the grid of the keyframe.
        predicted_iou: SAM's own estimate.
        agreement: IoU with the carried mask; None where nothing was carried.
        stability: IoU of the masks at a higher and a lower threshold.
        appearance: What the masked part looks like; None where the mask is empty.
        background: Color similarity to the object of what is most like it elsewhere on the frame, at most 1.
    """

    request: PromptRequest
    soft_mask: SoftMask
    predicted_iou: float
    agreement: float | None
    stability: float = 1.0
    appearance: Appearance | None = None
    background: float = 0.0


def ask(
    decoder: Decoder,
    embedding: Embedding,
    requests: Sequence[PromptRequest],
    image_rgb: Image,
    grid: Grid,
    parameters: TrackingParameters | None = None,
) -> list[MaskCandidate]:
    """Put the requests to SAM in one batch and choose among its candidates.

    Args:
        decoder: Of the segmenter that made the embedding.
        embedding: Of the keyframe.
        requests: One for each object.
        image_rgb: ``(h, w, 3)`` uint8, the keyframe on the grid.
        grid: What masks are kept on.
        parameters: How it is asked, and how its candidates are ranked.

    Returns:
        One candidate for each request.
    """
    if not requests:
        return []
    parameters = parameters or TrackingParameters()
    prompting, ranking = parameters.prompting, parameters.ranking
    image = ImageFeatures(decoder.features(embedding), bins_of(image_rgb))
    placed = [each for request in requests for each in _in_places(request, image, grid)]
    prompts = [_first_prompt(decoder, one, embedding.image_size, prompting) for one in placed]
    tries = _decode(decoder, embedding, placed, prompts, grid, ranking)
    tries = [_most_similar([one for one in tries if one.object_id == each.object_id], image) for each in requests]
    for _ in range(prompting.passes - 1):
        prompts = [_next_prompt(one, grid) for one in tries]
        tries = _decode(decoder, embedding, [one.candidate.request for one in tries], prompts, grid, ranking)
    return [_described(one.candidate, image, image_rgb) for one in tries]


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    """A prompt, the best candidate for it, and its ``(h, w)`` float32 low-resolution logits."""

    prompt: Prompt
    candidate: MaskCandidate
    logits: NDArray[np.float32]

    @property
    def object_id(self) -> int:
        return self.candidate.request.object_id


def _decode(
    decoder: Decoder,
    embedding: Embedding,
    requests: Sequence[PromptRequest],
    prompts: Sequence[Prompt],
    grid: Grid,
    ranking: RankingWeights,
) -> list[_Try]:
    decoded = decoder.decode(embedding, prompts)
    count, candidates = decoded.scores.shape
    flat = decoder.upscale(decoded.logits.reshape(-1, *decoded.logits.shape[2:]), grid.size)
    large = flat.reshape(count, candidates, *flat.shape[1:])  # (requests, candidates, h, w)
    tries = []
    for at, request in enumerate(requests):
        ranked = [
            _candidate(request, one, float(score)) for one, score in zip(large[at], decoded.scores[at], strict=True)
        ]
        best = max(range(candidates), key=lambda place: _worth(ranked[place], ranking))
        tries.append(_Try(prompts[at], ranked[best], decoded.logits[at, best]))
    return tries


def _candidate(request: PromptRequest, logits: NDArray[np.float32], predicted_iou: float) -> MaskCandidate:
    agreement = None if request.carried is None else overlap(logits > 0, request.carried > INSIDE)
    low, high = np.count_nonzero(logits > -STABILITY_OFFSET), np.count_nonzero(logits > STABILITY_OFFSET)
    return MaskCandidate(request, soft(logits), predicted_iou, agreement, high / low if low else 0.0)


def _worth(candidate: MaskCandidate, ranking: RankingWeights) -> float:
    request = candidate.request
    worth = candidate.predicted_iou + ranking.stability * candidate.stability
    if not request.from_user:
        worth += ranking.agreement * (candidate.agreement or 0.0)
    if request.expected_box is not None:
        weight = DRAWN_BOX_WEIGHT if request.from_user else ranking.motion
        worth += weight * _box_overlap(request.expected_box, box_of(candidate.soft_mask > INSIDE))
    return worth


def soft(logits: NDArray[np.float32]) -> SoftMask:
    # A straight line through the decision is enough, and much quicker than a sigmoid.
    clipped = np.clip(logits, -LOGIT_RANGE, LOGIT_RANGE)
    return cv2.convertScaleAbs(clipped, alpha=255 / (2 * LOGIT_RANGE), beta=127.5)


def _in_places(request: PromptRequest, image: ImageFeatures, grid: Grid) -> list[PromptRequest]:
    """The request, and for a lost object one for each place where it might be: where it seems to be it may not be."""
    distractors, known = request.distractors, [] if request.prompt is None else [request]
    if distractors is None or not request.is_sought:
        return known
    rows, columns = image.features.shape[:2]
    width, height = grid.frame_size
    places = places_of(image, request.gallery, distractors, SEARCH_PLACES)
    clicks = [((column + 0.5) * width / columns, (row + 0.5) * height / rows) for column, row in places]
    return known + [replace(request, prompt=Prompt([click])) for click in clicks]


def _most_similar(tries: list[_Try], image: ImageFeatures) -> _Try:
    """Of the candidates in places where an object might be, the one that looks most like it."""
    if len(tries) == 1:
        return tries[0]

    def worth(one: _Try) -> float:
        request, appearance = one.candidate.request, image.appearance(one.candidate.soft_mask)
        assert request.distractors is not None
        own = similarity(appearance, request.gallery)
        lead = own - similarity(appearance, request.distractors.gallery)
        return own + min(0.0, lead) + PREDICTED_IOU_SHARE * one.candidate.predicted_iou

    return max(tries, key=worth)


def _described(candidate: MaskCandidate, image: ImageFeatures, image_rgb: Image) -> MaskCandidate:
    """The candidate, of the object alone as far as that is known, and what that looks like."""
    request, soft_mask = candidate.request, candidate.soft_mask
    if not request.from_user:
        soft_mask = without_foreign_pieces(image, soft_mask, request.gallery)
    elif request.expected_box is not None:  # what a person's request expects is the box that was drawn
        soft_mask = snapped(soft_mask, image_rgb)
    background = _background(request, image, soft_mask)
    return replace(candidate, soft_mask=soft_mask, appearance=image.appearance(soft_mask), background=background)


def _background(request: PromptRequest, image: ImageFeatures, soft_mask: SoftMask) -> float:
    """How much what is most like the object by its colors, but lies elsewhere, is like it."""
    distractors = request.distractors
    if distractors is None or request.is_sought or not request.gallery:
        return 0.0
    around = cv2.dilate((soft_mask > 0).view(np.uint8), np.ones((BESIDE_PX,) * 2, np.uint8)) > 0
    beside = replace(distractors, taken=around | distractors.taken)
    spot = most_similar_spot(sparse(image.bins), request.gallery, beside, area_of(soft_mask))
    return 0.0 if spot is None else spot.similarity


def _first_prompt(
    decoder: Decoder, request: PromptRequest, image_size: tuple[int, int], prompting: PromptingParameters
) -> Prompt:
    prompt = request.prompt
    assert prompt is not None
    mask_input = None
    if request.carried is not None and not request.is_sought and prompting.use_mask:
        mask_input = decoder.mask_input(np.divide(request.carried, 255, dtype=np.float32), image_size)
    box = prompt.box if prompting.use_box or len(prompt.point_coords) == 0 else None
    return Prompt(prompt.point_coords, prompt.point_labels, box, mask_input=mask_input)


def _next_prompt(last: _Try, grid: Grid) -> Prompt:
    prompt, tight = last.prompt, box_of(last.candidate.soft_mask > INSIDE)
    box = prompt.box if tight is None else grid.to_frame(np.asarray(tight, np.float32).reshape(2, 2) - 0.5).ravel()
    return Prompt(prompt.point_coords, prompt.point_labels, box, mask_input=last.logits)


def _box_overlap(first: Box, second: tuple[float, float, float, float] | None) -> float:
    """IoU of two boxes x0, y0, x1, y1."""
    if second is None:
        return 0.0
    other = np.asarray(second)
    sides = np.clip(np.minimum(first[2:], other[2:]) - np.maximum(first[:2], other[:2]), 0, None)
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, other)]
    shared = float(np.prod(sides))
    return shared / max(sum(areas) - shared, 1e-6)
