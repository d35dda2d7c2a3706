"""Detectors of transformers that give boxes for phrases: Grounding DINO, OWLv2, OmDet-Turbo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from streamer.data.detection import Detection
from streamer.errors import ModelError
from streamer.models.runtime.devices import pick_precision
from streamer.models.weights.pretrained import config_of, from_folder, told

WHAT = "a model that finds things by words"

Boxes = tuple[Any, Any, Sequence[str]]
"""``(N, 4)`` boxes [px of the image], ``(N,)`` scores, and N labels, as upstream's own post-processing gives them."""


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between the families; all else is the same.

    Attributes:
        text: The processor's argument for some phrases.
        boxes: Outputs, inputs, the processor, phrases, threshold and (height, width) to boxes.
        min_score: The threshold that upstream recommends.
        options: For the processor.
    """

    text: Callable[[Sequence[str]], Any]
    boxes: Callable[[Any, Any, Any, Sequence[str], float, tuple[int, int]], Boxes]
    min_score: float
    options: Mapping[str, Any] = field(default_factory=dict)


class BoxDetector:
    """A detector by name or folder as a :class:`streamer.models.protocols.Detector`.

    Args:
        model: A Hugging Face name (``IDEA-Research/grounding-dino-tiny``) or a folder; nothing is downloaded.
        device: Where it runs.
        precision: Number format of the model.
        min_score: Below which a detection does not count; None takes what upstream recommends.

    Raises:
        ModelError: The model is not there, damaged, or finds nothing by words.
    """

    def __init__(
        self, model: str | Path, device: torch.device, precision: str = "auto", min_score: float | None = None
    ) -> None:
        from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

        self.name = str(model)
        kind = config_of(model, WHAT).model_type
        if kind not in FAMILIES:
            raise ModelError(f"{model} is a {kind}, not {WHAT}: choose another of `streamer models list`.")
        self._family = FAMILIES[kind]
        self._processor = told(lambda: AutoProcessor.from_pretrained(model, local_files_only=True), model, WHAT)
        network = from_folder(AutoModelForZeroShotObjectDetection, model, WHAT)
        self._dtype = pick_precision(precision, device)
        self._network, self._device = network.to(device, self._dtype), device
        self._min_score = self._family.min_score if min_score is None else min_score

    @torch.inference_mode()
    def detect(self, image_rgb: NDArray[np.uint8], phrases: Sequence[str]) -> list[Detection]:
        """See :class:`streamer.models.protocols.Detector`."""
        height, width = image_rgb.shape[:2]
        image = np.ascontiguousarray(image_rgb)
        text, options = self._family.text(phrases), self._family.options
        inputs = self._processor(images=image, text=text, return_tensors="pt", **options).to(self._device)
        inputs["pixel_values"] = inputs["pixel_values"].to(self._dtype)
        outputs = _in_float32(self._network(**inputs))
        boxes, scores, labels = self._family.boxes(
            outputs, inputs, self._processor, phrases, self._min_score, (height, width)
        )
        found = [
            Detection(phrase, float(score), corners)
            for box, score, label in zip(boxes.tolist(), scores.tolist(), labels, strict=True)
            if (phrase := phrase_of(label, phrases)) and (corners := on_image(box, (width, height)))
        ]
        return sorted(found, key=lambda detection: -detection.score)


def on_image(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The part of a box on an image of this (width, height) [px]; None where there is none."""
    width, height = size
    x0, y0, x1, y1 = max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def phrase_of(label: str, phrases: Sequence[str]) -> str | None:
    """The phrase that a label means: itself, or the one that shares most words with it; None where none shares any.

    Grounding DINO gives the words that a box answers, which may be one of two, or of two phrases.
    """
    words = set(label.lower().split())
    others = [set(phrase.lower().split()) for phrase in phrases]
    shares = [len(words & other) / max(len(words | other), 1) for other in others]
    best = max(range(len(phrases)), key=shares.__getitem__)
    return phrases[best] if shares[best] > 0 else None


def _captions(phrases: Sequence[str]) -> list[list[str]]:
    """OWL was trained with captions of photographs."""
    return [[f"a photo of a {phrase}" for phrase in phrases]]


def _one_text(phrases: Sequence[str]) -> str:
    """All phrases in lower case, each with a dot behind it."""
    return " ".join(f"{phrase.replace('.', ' ').strip().lower()}." for phrase in phrases)


def _grounding_dino(outputs: Any, inputs: Any, processor: Any, phrases: Any, threshold: float, size: Any) -> Boxes:
    (found,) = processor.post_process_grounded_object_detection(
        outputs, inputs["input_ids"], threshold=threshold, text_threshold=threshold, target_sizes=[size]
    )
    return found["boxes"], found["scores"], found["text_labels"]


def _by_text_labels(outputs: Any, inputs: Any, processor: Any, phrases: Any, threshold: float, size: Any) -> Boxes:
    (found,) = processor.post_process_grounded_object_detection(
        outputs, text_labels=[list(phrases)], threshold=threshold, target_sizes=[size]
    )
    return found["boxes"], found["scores"], found["text_labels"]


def _in_float32(outputs: Any) -> Any:
    """The outputs with every tensor of half precision in full, in which boxes are exact to a pixel."""
    for name, value in outputs.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            outputs[name] = value.float()
    return outputs


FAMILIES = {
    "grounding-dino": Family(_one_text, _grounding_dino, 0.35),
    "mm-grounding-dino": Family(_one_text, _grounding_dino, 0.35),
    "owlv2": Family(_captions, _by_text_labels, 0.2, {"truncation": True}),
    "omdet-turbo": Family(lambda phrases: [list(phrases)], _by_text_labels, 0.3),
}
"""By the ``model_type`` of a model's config."""
