"""Which detectors there are by name: one dict from name to builder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamer.data.detection import phrases_of
from streamer.models.parameters import DetectorParameters
from streamer.models.protocols import Detector

TINY = "tiny"


def _build_words(parameters: DetectorParameters, device: str) -> Detector:
    from streamer.models.detectors.words import WordsDetector
    from streamer.models.runtime.devices import pick_device
    from streamer.models.tiny.weights import load_words

    return WordsDetector(load_words(), pick_device(device), parameters.min_score)


DETECTORS: dict[str, Callable[[DetectorParameters, str], Detector]] = {TINY: _build_words}


def load_detector(parameters: DetectorParameters, device: str) -> Detector:
    """A detector, ready to detect.

    Args:
        parameters: Which one, and how it runs.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    return DETECTORS[parameters.model](parameters, device)


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
