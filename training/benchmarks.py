"""What SAM is measured on: pictures with true masks, prompted by boxes, clicks and corrections."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from streamer.data.mask import innermost_of
from streamer.data.prompt import FOREGROUND, Prompt
from streamer.engine import Engine
from streamer.evaluation.metrics import iou
from streamer.models.protocols import Embedding
from streamer.models.sam.segmenter import SamSegmenter
from training import prompts
from training.photos import Photo, encode_mask, load_bsds, load_coco, read_image
from training.scenes import as_photo, held_out

MIN_AREA_FRACTION = 0.01


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Photos whose regions above 1 % of the picture are prompted."""

    name: str
    photos: list[Photo]


@dataclass(frozen=True, slots=True)
class Scores:
    """Mean IoUs over all prompted regions, and the mean absolute error of the IoU head.

    Attributes:
        box: Box prompt, the mask that the model itself prefers.
        click: One click at the innermost point, best of the three masks.
        click_preferred: The same click, the mask that the model itself prefers.
        corrected: After two corrective clicks.
        iou_error: Mean absolute error of the predicted IoU over all these masks.
    """

    box: float
    click: float
    click_preferred: float
    corrected: float
    iou_error: float


def load_benchmarks(data: Path, quick: bool = False) -> list[Benchmark]:
    """The benchmarks of real pictures and of held-out scenes; ``quick`` takes a tenth of the pictures."""
    step = 10 if quick else 1
    return [
        Benchmark("DAVIS", load_davis(data)[::step]),
        Benchmark("BSDS500 test", _one_annotator(load_bsds(data, ("test",), limit=100 // step))),
        Benchmark("coco-mini", load_coco(data, held_out=True)[::step]),
        Benchmark("scenes", [as_photo(rendered) for rendered in held_out(100 // step)]),
    ]


def load_davis(data: Path) -> list[Photo]:
    """First and every 10th frame of the DAVIS sequences. For measuring only."""
    photos = []
    for sequence in sorted((data / "davis/JPEGImages/480p").iterdir()):
        for path in sorted(sequence.glob("*.jpg"))[::10]:
            truth = cv2.imread(str(data / "davis/Annotations/480p" / sequence.name / f"{path.stem}.png"), 0)
            if truth is not None and truth.any():
                photos.append(Photo(f"{sequence.name}/{path.stem}", read_image(path), [encode_mask(truth > 127)]))
    return photos


def _one_annotator(photos: list[Photo]) -> list[Photo]:
    """Regions of the first annotator only: those up to where the areas have filled the picture once."""
    kept = []
    for photo in photos:
        covered, regions = np.zeros(photo.image_rgb.shape[:2], np.uint8), []
        for index, region in enumerate(photo.regions):
            mask = photo.masks([index])[0]
            if (mask & covered).any():
                break
            covered |= mask
            regions.append(region)
        kept.append(Photo(photo.name, photo.image_rgb, regions))
    return kept


@torch.inference_mode()
def measure(sam: Sam, benchmark: Benchmark) -> Scores:
    """Prompt every region of the benchmark, as the program does: without upstream's padding."""
    segmenter = SamSegmenter(copy.deepcopy(sam), "tiny", sam.device, "float32")
    results = []
    for photo in benchmark.photos:
        embedding = segmenter.encode(photo.image_rgb)
        results += [_measure_region(segmenter, embedding, mask) for mask in large_regions(photo)]
    return Scores(*np.mean(results, axis=0).tolist())


def measure_program(engine: Engine, benchmark: Benchmark) -> float:
    """Mean IoU of what ``streamer annotate`` shows of each region for its box, on the picture alone."""
    ious = []
    for photo in benchmark.photos:
        for truth in large_regions(photo):
            (result,) = engine.run([photo.image_rgb], [Prompt(box=prompts.tight_box(truth))])
            ious.append(iou(result.tracks[0].mask, truth))
    return float(np.mean(ious))


def large_regions(photo: Photo) -> list[NDArray[np.uint8]]:
    """The ``(H, W)`` masks of the regions that cover more than 1 % of the picture."""
    if not photo.regions:
        return []
    return [mask for mask in photo.masks(list(range(len(photo.regions)))) if mask.mean() > MIN_AREA_FRACTION]


def _measure_region(segmenter: SamSegmenter, embedding: Embedding, truth: NDArray[np.uint8]) -> tuple[float, ...]:
    masks, scores, _ = _predict(segmenter, embedding, Prompt(box=prompts.tight_box(truth)))
    errors = [abs(score - iou(mask, truth)) for mask, score in zip(masks, scores, strict=True)]
    box = iou(masks[scores.argmax()], truth)
    points, labels = np.array([innermost_of(truth)]), np.array([FOREGROUND])
    masks, scores, logits = _predict(segmenter, embedding, Prompt(points, labels))
    ious = [iou(mask, truth) for mask in masks]
    errors += [abs(score - true) for true, score in zip(ious, scores, strict=True)]
    preferred = int(scores.argmax())
    mask, logit = masks[preferred], logits[preferred]
    for _ in range(2):
        error = (mask != truth.astype(bool)).astype(np.uint8)
        x, y = prompts.corrective_point(error, None)
        points, labels = np.vstack([points, (x, y)]), np.append(labels, truth[int(y), int(x)])
        masks, scores, logits = _predict(segmenter, embedding, Prompt(points, labels, mask_input=logit))
        mask, logit = masks[scores.argmax()], logits[scores.argmax()]
    return box, max(ious), ious[preferred], iou(mask, truth), float(np.mean(errors))


def _predict(
    segmenter: SamSegmenter, embedding: Embedding, prompt: Prompt
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Three masks on the picture, their predicted IoUs and their low-resolution logits."""
    decoded = segmenter.decode(embedding, [prompt])
    return segmenter.upscale(decoded.logits[0], embedding.image_size) > 0, decoded.scores[0], decoded.logits[0]


def summary(sam: Sam, benchmarks: Sequence[Benchmark]) -> str:
    """One line: box, click and corrected IoU of every benchmark."""
    parts = []
    for benchmark in benchmarks:
        scores = measure(sam, benchmark)
        parts.append(
            f"{benchmark.name} box {scores.box:.3f} click {scores.click:.3f} "
            f"corrected {scores.corrected:.3f} iou error {scores.iou_error:.3f}"
        )
    return " | ".join(parts)
