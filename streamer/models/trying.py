"""Whether a model works here, and how long one call takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from streamer.data.prompt import Prompt
from streamer.errors import ModelError
from streamer.models import registry
from streamer.models.catalog import CATALOG, DEPTH, SEGMENTER, official_name
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.store import TINY
from streamer.models.weights import hub

T = TypeVar("T")
SIZE = 1280, 720
"""(width, height) of the picture that it is tried on [px]."""
CLICK = 640, 360


def try_model(name: str, device: str = "auto") -> Iterator[str]:
    """Load a model and call it once on a picture of noise; yields a sentence as soon as there is something to say.

    Args:
        name: Of the catalog, a folder, a Hugging Face name, or a checkpoint file.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    kinds = _kinds_of(name)
    if SEGMENTER in kinds:
        yield from _try_segmenter(name, device)
    if DEPTH in kinds:
        yield from _try_depth(name, device)


def _kinds_of(name: str) -> tuple[str, ...]:
    """What a model may be by its name: what is not in the catalog is told by its own config."""
    name = official_name(name)
    if name == TINY:
        return SEGMENTER, DEPTH
    if name in CATALOG:
        if CATALOG[name].kind not in (SEGMENTER, DEPTH):
            raise ModelError(f"{name} is a {CATALOG[name].kind}: it is loaded by `streamer annotate --text`.")
        return (CATALOG[name].kind,)
    if _is_depth(name):
        return (DEPTH,)
    return (SEGMENTER,)


def _is_depth(name: str) -> bool:
    folder = Path(name).expanduser()
    return hub.is_depth_model(folder if folder.is_dir() else hub.cached().get(name, (0, folder))[1])


def _try_segmenter(name: str, device: str) -> Iterator[str]:
    segmenter, loaded_s = _timed(lambda: registry.load_segmenter(SegmenterParameters(model=name), device))
    yield f"{name} is loaded in {loaded_s:.1f} s, as a segmenter"
    embedding, encoded_s = _timed(lambda: segmenter.encode(_noise()))
    _, decoded_s = _timed(lambda: segmenter.decode(embedding, [Prompt([CLICK])]))
    memory = getattr(segmenter, "tracks", "")
    follows = f", and it follows objects by its own memory (tracking.method: {memory})" if memory else ""
    yield f"a picture of {SIZE[0]}x{SIZE[1]} takes {encoded_s:.2f} s, a click {decoded_s * 1000:.0f} ms{follows}"


def _try_depth(name: str, device: str) -> Iterator[str]:
    estimator, loaded_s = _timed(lambda: registry.load_depth(DepthParameters(model=name), device))
    yield f"{name} is loaded in {loaded_s:.1f} s, as a depth model"
    _, estimated_s = _timed(lambda: estimator.estimate(_noise()))
    unit = "meters" if estimator.unit == "m" else "relative inverse depth"
    yield f"a picture of {SIZE[0]}x{SIZE[1]} takes {estimated_s:.2f} s and gives {unit}"


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    """The value of a call, and how long it took [s]."""
    start_s = time.perf_counter()
    value = call()
    return value, time.perf_counter() - start_s


def _noise() -> np.ndarray:
    """Flat pictures are quicker with some models."""
    return np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
