"""The models as their READMEs use them against the same models here: time, memory and how far the answers differ.

Every side of every model runs in a process of its own, so that its peak of memory is its own. Where the official
weights are not in the cache, both sides get the same random ones, with which the speed is the same.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.benchmarks.upstream import UpstreamDepth, UpstreamSam
from streamer.benchmarks.weights import with_weights
from streamer.config import Config
from streamer.data.prompt import Prompt
from streamer.models import registry, store
from streamer.models.catalog import CATALOG, SEGMENTER
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.protocols import DepthEstimator
from streamer.models.weights import hub

IMAGE_SIZE = (1024, 576)
"""What SAM makes of 1280x720: the error is that of the models, not of the resizing, which follows Pillow's closely."""
BOXES = ((160, 120, 480, 400), (560, 80, 880, 520), (40, 320, 320, 560))
UPSTREAM = "upstream"
UPSTREAM_IS_ANOTHER = ("vit_b", "vit_l", "vit_h", "Intel/dpt-hybrid-midas", "Intel/dpt-large")
"""Models that run here by code of our own, so that there is an upstream to compare with."""


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One side of one model.

    Attributes:
        model: Its name.
        side: ``upstream``, or the precision that ours ran in.
        seconds: Best time of one image [s].
        speedup: How many times faster than upstream; None where transformers' class is upstream's.
        peak_mib: Most memory that the process (on a GPU: torch) held meanwhile [MiB]; weights are part of it.
        relative_error: Norm of the difference to upstream's answer, over the norm of that answer; None as above.
        mask_iou: Mean IoU of the masks that three boxes give, against upstream's; None for depth.
    """

    model: str
    side: str
    seconds: float
    speedup: float | None
    peak_mib: float
    relative_error: float | None
    mask_iou: float | None


@dataclass(frozen=True, slots=True)
class _Measured:
    seconds: float
    peak_mib: float
    answer: NDArray[np.float32]
    masks: NDArray[np.bool_] | None


def run(
    models: Sequence[str] = ("tiny", "vit_b"),
    depth_models: Sequence[str] = ("tiny", "Intel/dpt-hybrid-midas"),
    precisions: Sequence[str] = ("float32", "auto"),
    repeats: int = 3,
    threads: int = 2,
    device: str = "auto",
    runtime: str = "auto",
) -> Iterator[SpeedRow]:
    """Measure, and yield a row as soon as it is known: upstream first, then ours in each precision.

    Args:
        models: Names of segmenters.
        depth_models: Names of depth models.
        precisions: That ours shall run in.
        repeats: The best of so many images counts, after one to warm up.
        threads: Processor cores for each side.
        device: Where both sides run.
        runtime: What the bundled models run through on our side.
    """
    with tempfile.TemporaryDirectory() as folder:
        for model, measure, find in (
            *((model, _measure_sam, _sam_weights) for model in models),
            *((model, _measure_depth, _depth_weights) for model in depth_models),
        ):
            if model in CATALOG and model not in UPSTREAM_IS_ANOTHER:
                for precision in precisions:
                    call = partial(_measure_named, model, repeats=repeats, threads=threads, device=device)
                    alone = _in_a_process_of_its_own(partial(call, side=precision))
                    yield SpeedRow(model, precision, alone.seconds, None, alone.peak_mib, None, None)
                continue
            weights = find(model, Path(folder))
            through = runtime if model == registry.TINY else "auto"
            call = partial(measure, model, weights, repeats, threads, device, through)
            upstream = _in_a_process_of_its_own(partial(call, side=UPSTREAM))
            yield _row(model, UPSTREAM, upstream, upstream)
            for precision in precisions:
                yield _row(model, precision, _in_a_process_of_its_own(partial(call, side=precision)), upstream)


def _row(model: str, side: str, ours: _Measured, upstream: _Measured) -> SpeedRow:
    wanted = _without_padding(upstream.answer, ours.answer)
    error = np.linalg.norm(ours.answer - wanted) / np.linalg.norm(wanted)
    iou = None
    if ours.masks is not None and upstream.masks is not None:
        truth = _without_padding(upstream.masks, ours.masks)
        both, either = (ours.masks & truth).sum(axis=(1, 2)), (ours.masks | truth).sum(axis=(1, 2))
        iou = float(np.mean(np.where(either == 0, 1.0, both / np.maximum(either, 1))))
    return SpeedRow(model, side, ours.seconds, upstream.seconds / ours.seconds, ours.peak_mib, float(error), iou)


def _without_padding(theirs: NDArray, ours: NDArray) -> NDArray:
    """Upstream pads pictures to squares; the part of its answer that ours is about."""
    return theirs[..., : ours.shape[-2], : ours.shape[-1]]


def _in_a_process_of_its_own(call: Callable[[], _Measured]) -> _Measured:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call).result()


def _sam_weights(model: str, folder: Path) -> Path | None:
    if model == registry.TINY:
        return None
    if store.checkpoint_path(model).exists():
        return store.checkpoint_path(model)
    from streamer.models.weights.random_weights import make_random_checkpoint

    return make_random_checkpoint(model, folder / f"{model}.pth")


def _depth_weights(model: str, folder: Path) -> Path | None:
    if model == registry.TINY or Path(model).is_dir():
        return None if model == registry.TINY else Path(model)
    if model in hub.cached():
        return hub.cached()[model][1]
    from streamer.models.weights.random_weights import make_random_dpt

    return make_random_dpt(model, folder / Path(model).name)


def _measure_sam(
    model: str, weights: Path | None, repeats: int, threads: int, device: str, runtime: str, side: str
) -> _Measured:
    """Time the encoder, then decode the boxes."""
    from streamer.models.runtime.devices import set_threads

    set_threads(threads)
    image = _image()
    if side != UPSTREAM:
        how = {"precision": side, "runtime": runtime}
        parameters = SegmenterParameters.model_validate({"model": model, "checkpoint": weights, **how})
        segmenter: Any = registry.load_segmenter(parameters, device)
        measured = _time(lambda: segmenter.encode(image), repeats)
        embedding = segmenter.encode(image)
        logits = segmenter.decode(embedding, [Prompt(box=box) for box in BOXES], multimask_output=False).logits[:, 0]
        return _Measured(*measured, embedding.features.cpu().numpy(), logits > 0)

    upstream = UpstreamSam(model, weights, device)
    measured = _time(lambda: upstream.set_image(image), repeats)
    masks = [upstream.predict(Prompt(box=box))[1] > 0 for box in BOXES]
    return _Measured(*measured, upstream.features, np.stack(masks))


def _measure_named(model: str, repeats: int, threads: int, device: str, side: str) -> _Measured:
    """Time the encoder, or one map, of a model with a name, with random weights where it was never pulled."""
    from streamer.models.runtime.devices import set_threads

    set_threads(threads)
    image = _image()
    wanted, other = ("segmenter", "depth") if CATALOG[model].kind == SEGMENTER else ("depth", "segmenter")
    sections = {wanted: {"model": model, "precision": side}, other: None}
    config = with_weights(Config.model_validate(sections), lambda text: None)
    if config.segmenter is not None:
        segmenter = registry.load_segmenter(config.segmenter, device)
        return _Measured(*_time(lambda: segmenter.encode(image), repeats), np.empty(0, np.float32), None)
    assert config.depth is not None
    estimator = registry.load_depth(config.depth, device)
    return _Measured(*_time(lambda: estimator.estimate(image), repeats), np.empty(0, np.float32), None)


def _measure_depth(
    model: str, weights: Path | None, repeats: int, threads: int, device: str, runtime: str, side: str
) -> _Measured:
    """Time one map at the size of the frame."""
    from streamer.models.runtime.devices import set_threads

    set_threads(threads)
    name = model if weights is None else str(weights)
    estimator: UpstreamDepth | DepthEstimator
    if side == UPSTREAM:
        estimator = UpstreamDepth(name, device)
    else:
        parameters = DepthParameters.model_validate({"model": name, "precision": side, "runtime": runtime})
        estimator = registry.load_depth(parameters, device)
    estimate = partial(estimator.estimate, _image())
    return _Measured(*_time(estimate, repeats), estimate(), None)


def _image() -> NDArray[np.uint8]:
    """Smooth random colors: what is on it does not matter, but flat pictures hide mistakes."""
    noise = np.random.default_rng(0).integers(0, 256, (IMAGE_SIZE[1] // 40, IMAGE_SIZE[0] // 40, 3), np.uint8)
    return cv2.resize(noise, IMAGE_SIZE, interpolation=cv2.INTER_CUBIC)


def _time(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Best time [s] of one call, and the peak of memory meanwhile [MiB]."""
    import torch

    is_cuda = torch.cuda.is_available()
    call()
    _forget_peak()
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        if is_cuda:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return float(best), torch.cuda.max_memory_allocated() / 2**20 if is_cuda else _peak_mib()


def _forget_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    refs = Path("/proc/self/clear_refs")
    if refs.exists():
        refs.write_text("5")


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
