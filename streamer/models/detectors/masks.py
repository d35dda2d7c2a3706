"""Models of transformers that give masks for phrases: CLIPSeg and SAM 3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamer.data.detection import Detection
from streamer.data.mask import box_of
from streamer.models.detectors.boxes import WHAT
from streamer.models.runtime.devices import pick_precision
from streamer.models.weights.pretrained import from_folder, told

CLIPSEG_MIN_SCORE = 0.4
"""Probability of a pixel from which it belongs to the phrase; its authors' demos draw from there."""
SAM3_MIN_SCORE = 0.5
MIN_AREA_SHARE = 0.001
"""Of the image; smaller pieces of a heat map are specks."""


class _MaskModel:
    """What both have in common: a processor, a network, and a threshold.

    Args:
        model: A Hugging Face name or a folder; nothing is downloaded.
        device: Where it runs.
        precision: Number format of the model.
        min_score: Below which nothing counts; None takes what the model's authors do.

    Raises:
        ModelError: The model is not there, damaged, or another one.
    """

    _kinds: ClassVar[tuple[str, str]]
    """Names of the classes of the network and of the processor."""
    _authors_score: ClassVar[float]

    def __init__(
        self, model: str | Path, device: torch.device, precision: str = "auto", min_score: float | None = None
    ) -> None:
        import transformers

        network, processor = (getattr(transformers, kind) for kind in self._kinds)
        self.name = str(model)
        self._processor: Any = told(lambda: processor.from_pretrained(model, local_files_only=True), model, WHAT)
        self._dtype, self._device = pick_precision(precision, device), device
        self._network: Any = from_folder(network, model, WHAT).to(device, self._dtype)
        self._min_score = self._authors_score if min_score is None else min_score

    def _inputs(self, **arguments: Any) -> Any:
        inputs = self._processor(return_tensors="pt", **arguments).to(self._device)
        inputs["pixel_values"] = inputs["pixel_values"].to(self._dtype)
        return inputs


class ClipSegDetector(_MaskModel):
    """CLIPSeg (Lüddecke & Ecker, CVPR 2022): one heat map per phrase, of which each piece is a thing.

    It is ``CIDAS/clipseg-rd64-refined``, or one like it; scores are probabilities of pixels.
    """

    _kinds = "CLIPSegForImageSegmentation", "CLIPSegProcessor"
    _authors_score = CLIPSEG_MIN_SCORE

    @torch.inference_mode()
    def detect(self, image_rgb: NDArray[np.uint8], phrases: Sequence[str]) -> list[Detection]:
        """See :class:`streamer.models.protocols.Detector`."""
        images = [np.ascontiguousarray(image_rgb)] * len(phrases)
        inputs = self._inputs(text=list(phrases), images=images, padding=True)
        logits: Tensor = self._network(**inputs).logits.float()
        heat = logits.sigmoid().reshape(len(phrases), *logits.shape[-2:]).cpu().numpy()  # one phrase has no batch axis
        found = [
            detection
            for phrase, one in zip(phrases, heat, strict=True)
            for detection in pieces(phrase, cv2.resize(one, image_rgb.shape[1::-1]), self._min_score)
        ]
        return sorted(found, key=lambda detection: -detection.score)


def pieces(phrase: str, heat: NDArray[np.float32], threshold: float) -> Iterator[Detection]:
    """The connected pieces of a ``(H, W)`` heat map from 0 to 1 that are above a threshold."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((heat >= threshold).astype(np.uint8), connectivity=8)
    for piece in range(1, count):
        if stats[piece, cv2.CC_STAT_AREA] >= MIN_AREA_SHARE * heat.size:
            x, y, width, height = stats[piece, :4].tolist()
            mask = labels == piece
            yield Detection(phrase, float(heat[mask].max()), (x, y, x + width, y + height), mask)


class Sam3Detector(_MaskModel):
    """SAM 3 (Carion et al., 2025): a mask for every instance of a phrase.

    It is ``facebook/sam3``, which is gated; scores are of instances.
    """

    _kinds = "Sam3Model", "Sam3Processor"
    _authors_score = SAM3_MIN_SCORE

    @torch.inference_mode()
    def detect(self, image_rgb: NDArray[np.uint8], phrases: Sequence[str]) -> list[Detection]:
        """See :class:`streamer.models.protocols.Detector`. The image is encoded once for all phrases."""
        size = image_rgb.shape[:2]
        inputs = self._inputs(images=np.ascontiguousarray(image_rgb))
        features = self._network.get_vision_features(pixel_values=inputs["pixel_values"])
        found = []
        for phrase in phrases:
            text = self._processor(text=phrase, return_tensors="pt").to(self._device)
            outputs = self._network(
                vision_embeds=features, input_ids=text["input_ids"], attention_mask=text["attention_mask"]
            )
            (instances,) = self._processor.post_process_instance_segmentation(
                outputs, threshold=self._min_score, target_sizes=[size]
            )
            for score, mask in zip(instances["scores"].tolist(), instances["masks"], strict=True):
                shape = mask.cpu().numpy().astype(bool)
                box = box_of(shape)
                if box is not None:
                    found.append(Detection(phrase, score, box, shape))
        return sorted(found, key=lambda detection: -detection.score)
