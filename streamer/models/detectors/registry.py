"""Which detectors there are by name: one dict from name to builder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from streamer.data.detection import phrases_of
from streamer.models.catalog import DETECTOR, names_of
from streamer.models.names import unknown
from streamer.models.parameters import DetectorParameters
from streamer.models.protocols import Detector
from streamer.models.weights import hub

TINY = "tiny"


def _build_words(parameters: DetectorParameters, device: str) -> Detector:
    from streamer.models.detectors.words import WordsDetector
    from streamer.models.runtime.devices import pick_device
    from streamer.models.tiny.weights import load_words

    return WordsDetector(load_words(), pick_device(device), parameters.min_score)


def _build_boxes(parameters: DetectorParameters, device: str) -> Detector:
    from streamer.models.detectors.boxes import BoxDetector
    from streamer.models.runtime.devices import pick_device

    return BoxDetector(parameters.model, pick_device(device), parameters.precision, parameters.min_score)


def _build_clipseg(parameters: DetectorParameters, device: str) -> Detector:
    from streamer.models.detectors.masks import ClipSegDetector
    from streamer.models.runtime.devices import pick_device

    return ClipSegDetector(parameters.model, pick_device(device), parameters.precision, parameters.min_score)


def _build_sam3(parameters: DetectorParameters, device: str) -> Detector:
    from streamer.models.detectors.masks import Sam3Detector
    from streamer.models.runtime.devices import pick_device

    return Sam3Detector(parameters.model, pick_device(device), parameters.precision, parameters.min_score)


DETECTORS: dict[str, Callable[[DetectorParameters, str], Detector]] = {
    TINY: _build_words,
    **dict.fromkeys(names_of(DETECTOR), _build_boxes),
    "CIDAS/clipseg-rd64-refined": _build_clipseg,
    "facebook/sam3": _build_sam3,
}
_BY_TYPE = {"clipseg": _build_clipseg, "sam3": _build_sam3, "sam3_video": _build_sam3}
"""Builders of what has no name here, by the ``model_type`` of its config; of all others that know words, boxes."""


def load_detector(parameters: DetectorParameters, device: str) -> Detector:
    """A detector, ready to detect.

    Args:
        parameters: Which one, and how it runs. What is no name of `DETECTORS` is one of Hugging Face, or a folder.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    model = parameters.model
    if model in DETECTORS:
        return DETECTORS[model](parameters, device)
    if not (hub.is_name(model) or Path(model).is_dir()):
        raise unknown("detector", model, DETECTORS, ", or give another Hugging Face name or a folder")
    from streamer.models.weights.pretrained import config_of

    return _BY_TYPE.get(config_of(model, "a model that finds things by words").model_type, _build_boxes)(
        parameters, device
    )


def checked_phrases(text: str | Sequence[str], parameters: DetectorParameters) -> tuple[str, ...]:
    """The phrases of a text that this detector can look for, without loading anything slow.

    Raises:
        PromptError: A phrase is empty or very long, there are very many, or the detector does not know one.
    """
    phrases = phrases_of(text)
    if parameters.model == TINY:
        from streamer.models.detectors.vocabulary import meaning_of

        for phrase in phrases:
            meaning_of(phrase)
    return phrases
