"""Which models there are, where their weights lie, and how to get and load them.

A model is registered by one entry: its name and what builds it, in `SEGMENTERS` or in `DEPTH_ESTIMATORS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from streamer.errors import ModelError
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.protocols import DepthEstimator, RememberingSegmenter, Segmenter
from streamer.models.weights import hub
from streamer.models.weights.cache import cache_folder
from streamer.models.weights.download import Progress, fetch, ignore_progress, is_intact

TINY = "tiny"
SAM_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything"


@dataclass(frozen=True, slots=True)
class SamWeights:
    """An official checkpoint of SAM.

    Attributes:
        file: Its name, here and on the server.
        size_bytes: Its size [bytes].
        sha256: Its checksum, 64 hexadecimal digits.
    """

    file: str
    size_bytes: int
    sha256: str


SAM_WEIGHTS = {
    "vit_b": SamWeights(
        "sam_vit_b_01ec64.pth", 375_042_383, "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912"
    ),
    "vit_l": SamWeights(
        "sam_vit_l_0b3195.pth", 1_249_524_607, "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622"
    ),
    "vit_h": SamWeights(
        "sam_vit_h_4b8939.pth", 2_564_550_879, "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e"
    ),
}
DEPTH_MODELS = ("Intel/dpt-hybrid-midas", "Intel/dpt-large")


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model, as ``streamer models list`` shows it.

    Attributes:
        name: What it is called in a config.
        kind: ``segmenter``, ``depth``, or both.
        state: ``bundled``, ``cached`` or ``available``.
        size_bytes: Of its weights [bytes]; None where that is not known before the download.
        path: Where the weights are, or will be.
    """

    name: str
    kind: str
    state: str
    size_bytes: int | None
    path: Path


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Whether the weights of one model are whole (``intact``), and what to do if not (``message``)."""

    name: str
    intact: bool
    message: str


def checkpoint_path(model: str) -> Path:
    """Where the checkpoint of a SAM (vit_b, vit_l, vit_h) lies or will lie."""
    return cache_folder() / SAM_WEIGHTS[model].file


def download(name: str, base_url: str = SAM_ADDRESS, progress: Progress = ignore_progress) -> Path:
    """Get the weights of a model by its name, or go on getting them; nothing happens where they are there.

    Args:
        name: vit_b, vit_l, vit_h, or a Hugging Face name like ``Intel/dpt-large``.
        base_url: Where the SAM checkpoints lie.
        progress: Told about every piece of a SAM checkpoint that has arrived.

    Raises:
        ModelError: There is no such model, or its weights could not be had.
    """
    if name in SAM_WEIGHTS:
        weights, path = SAM_WEIGHTS[name], checkpoint_path(name)
        if not (path.exists() and is_intact(path, weights.size_bytes, weights.sha256)):
            fetch(f"{base_url}/{weights.file}", path, weights.size_bytes, weights.sha256, progress)
        return path
    if "/" in name:
        return hub.download(name)
    raise _unknown(f"model {name!r} to download", name, [*SAM_WEIGHTS, *DEPTH_MODELS])


def _build_sam(parameters: SegmenterParameters, device: str) -> Segmenter:
    from streamer.models.runtime.devices import pick_device
    from streamer.models.sam.segmenter import SamSegmenter

    model, precision = parameters.model, parameters.precision
    if model == TINY and precision == "auto":
        precision = "float32"  # bfloat16 takes three quarters of the time, and costs a point of J&F on DAVIS
    sam = load_sam(model, parameters.checkpoint)
    if model == TINY:
        return _with_memory(sam, device, precision)
    segmenter = SamSegmenter(sam, model, pick_device(device), precision, parameters.compile)
    segmenter.warm_up()
    return segmenter


def _with_memory(sam: Any, device: str, precision: str) -> RememberingSegmenter:
    from streamer.models import tiny
    from streamer.models.runtime.devices import pick_device
    from streamer.models.tiny.segmenter import TinySegmenter

    return TinySegmenter(sam, tiny.load_memory(), TINY, pick_device(device), precision)


def _build_dpt(parameters: DepthParameters, device: str) -> DepthEstimator:
    from streamer.models import tiny
    from streamer.models.dpt.estimator import DptEstimator
    from streamer.models.runtime.devices import pick_device

    model = parameters.model
    source: str | Path = tiny.dpt_folder() if model == TINY else model
    estimator = DptEstimator(source, pick_device(device), parameters.precision, parameters.compile, name=model)
    estimator.warm_up()
    return estimator


SEGMENTERS: dict[str, Callable[[SegmenterParameters, str], Segmenter]] = dict.fromkeys((TINY, *SAM_WEIGHTS), _build_sam)
DEPTH_ESTIMATORS: dict[str, Callable[[DepthParameters, str], DepthEstimator]] = dict.fromkeys(
    (TINY, *DEPTH_MODELS), _build_dpt
)


def load_segmenter(parameters: SegmenterParameters, device: str) -> Segmenter:
    """A segmenter, ready to encode.

    Args:
        parameters: Which one, and how it runs. What is no name of `SEGMENTERS` is the path of a checkpoint of SAM.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    return SEGMENTERS.get(parameters.model, _build_sam)(parameters, device)


def remembering(segmenter: Segmenter, device: str) -> RememberingSegmenter:
    """The segmenter with a memory: its own, or the bundled one, which then looks at every frame beside it.

    Raises:
        ModelError: The bundled weights are missing or damaged.
    """
    from streamer.models import tiny
    from streamer.models.tiny.remembering import Remembering

    if hasattr(segmenter, "memory"):
        return cast(RememberingSegmenter, segmenter)
    return Remembering(segmenter, _with_memory(tiny.load_sam(), device, "float32"))


def load_depth(parameters: DepthParameters, device: str) -> DepthEstimator:
    """A depth model, ready to estimate.

    Args:
        parameters: Which one, and how it runs. What is no name of `DEPTH_ESTIMATORS` is one of a DPT on Hugging Face
            (with an owner, like ``Intel/dpt-large``) or a folder with a DPT.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    model = parameters.model
    if model not in DEPTH_ESTIMATORS and "/" not in model and not Path(model).is_dir():
        raise _unknown(
            f"depth model {model!r}", model, DEPTH_ESTIMATORS, ", or give another Hugging Face name or a folder"
        )
    return DEPTH_ESTIMATORS.get(model, _build_dpt)(parameters, device)


def list_models() -> list[ModelEntry]:
    """Every model that has a name here, and where it stands."""
    folder = Path(__file__).parent / TINY
    entries = [ModelEntry(TINY, "segmenter and depth", "bundled", _folder_size(folder), folder)]
    for name, weights in SAM_WEIGHTS.items():
        path = checkpoint_path(name)
        state = "cached" if path.exists() else "available"
        entries.append(ModelEntry(name, "segmenter", state, weights.size_bytes, path))
    cached = hub.cached()
    for name in sorted({*DEPTH_MODELS, *cached}):
        size_bytes, path = cached.get(name, (None, hub.cache_folder()))
        entries.append(ModelEntry(name, "depth", "cached" if name in cached else "available", size_bytes, path))
    return entries


def check() -> list[ModelCheck]:
    """Verify what is cached: SAM checkpoints by size and SHA-256, depth models by their files being there."""
    checks = []
    for name, weights in SAM_WEIGHTS.items():
        path = checkpoint_path(name)
        if not path.exists():
            continue
        intact = is_intact(path, weights.size_bytes, weights.sha256)
        advice = f"delete {path} and run `streamer models pull {name}`"
        checks.append(ModelCheck(name, intact, f"{path} is whole" if intact else f"{path} is damaged: {advice}"))
    for name, (_, path) in sorted(hub.cached().items()):
        missing = hub.missing_files(path)
        advice = f"run `streamer models pull {name}`"
        checks.append(
            ModelCheck(
                name, not missing, f"{path} lacks {', '.join(missing)}: {advice}" if missing else f"{path} is whole"
            )
        )
    return checks


def load_sam(model: str, checkpoint: str | Path | None = None) -> Any:
    """Upstream's own ``Sam``, float32 on the CPU, for what works with nothing else.

    Args:
        model: A name of `SEGMENTERS`, or the path of a checkpoint.
        checkpoint: Weights of that model in another place than the cache.

    Raises:
        ModelError: There is no such model, or its weights are missing or damaged.
    """
    from streamer.models import tiny
    from streamer.models.weights import checkpoints

    if model == TINY:
        return tiny.load_sam() if checkpoint is None else tiny.load_sam(Path(checkpoint).expanduser())
    if checkpoint is not None:
        return checkpoints.load_sam(Path(checkpoint).expanduser(), model if model in SAM_WEIGHTS else None)
    if model in SAM_WEIGHTS:
        path = checkpoint_path(model)
        if not path.exists():
            raise ModelError(
                f"The weights of {model} are not here: run `streamer models pull {model}`, "
                f"or bring {SAM_ADDRESS}/{SAM_WEIGHTS[model].file} to {path}."
            )
        return checkpoints.load_sam(path, model)
    if Path(model).suffix in checkpoints.SUFFIXES:
        return checkpoints.load_sam(Path(model).expanduser())
    raise _unknown(f"segmenter {model!r}", model, SEGMENTERS, ", or name a checkpoint file")


def _unknown(what: str, name: str, known: Iterable[str], otherwise: str = "") -> ModelError:
    """What to raise for a name that is not registered: all that are, and those that were probably meant."""
    names = list(known)
    near = difflib.get_close_matches(name, names)
    question = f" (did you mean {' or '.join(near)}?)" if near else ""
    return ModelError(f"There is no {what}: choose one of {', '.join(names)}{otherwise}{question}.")


def _folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
