"""Models by their names.

A model is registered by one entry: its name and what builds it, in `SEGMENTERS` or in `DEPTH_ESTIMATORS`; what people
are told of it stands in :mod:`streamer.models.catalog`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from streamer.errors import ModelError
from streamer.models.catalog import CATALOG, DEPTH, SEGMENTER, file_models, names_of, official_name
from streamer.models.names import unknown
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.protocols import DepthEstimator, RememberingSegmenter, Segmenter
from streamer.models.store import TINY, address_of, checkpoint_path
from streamer.models.weights import hub

BUNDLED_MEMORY = "memory"
CHECKPOINT_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")


def _build_tiny_sam(parameters: SegmenterParameters, device: str) -> Segmenter:
    return _with_memory(load_sam(TINY, parameters.checkpoint), device, parameters.precision, parameters.runtime)


def _build_checkpoint(parameters: SegmenterParameters, device: str) -> Segmenter:
    from streamer.models.weights import checkpoints

    path, architecture = _checkpoint_of(parameters.model, parameters.checkpoint)
    found, model = checkpoints.load(path, architecture)
    if found == checkpoints.SAM2:
        from streamer.models.runtime.devices import pick_device
        from streamer.models.sam2.loading import wrap_sam2

        return wrap_sam2(model, parameters, pick_device(device))
    return _wrap_sam(model, parameters, device)


def _wrap_sam(sam: Any, parameters: SegmenterParameters, device: str) -> Segmenter:
    from streamer.models.runtime.devices import pick_device
    from streamer.models.sam.segmenter import SamSegmenter

    segmenter = SamSegmenter(sam, parameters.model, pick_device(device), parameters.precision, parameters.compile)
    segmenter.warm_up()
    return segmenter


def _build_promptable(parameters: SegmenterParameters, device: str) -> Segmenter:
    from streamer.models.runtime.devices import pick_device
    from streamer.models.sam2 import loading

    return loading.load(parameters, pick_device(device))


def _with_memory(sam: Any, device: str, precision: str, runtime: str) -> RememberingSegmenter:
    from streamer.models.runtime.devices import pick_device
    from streamer.models.tiny import weights as tiny
    from streamer.models.tiny.segmenter import TinySegmenter

    # In bfloat16 the encoder costs DAVIS a point of J&F, and drawing masks from memory costs nothing.
    encoding = "float32" if precision == "auto" else precision
    chosen, things = pick_device(device), tiny.load_things()
    return TinySegmenter(sam, tiny.load_memory(), things, TINY, chosen, encoding, runtime, precision)


def _build_tiny_depth(parameters: DepthParameters, device: str) -> DepthEstimator:
    from streamer.models.runtime.devices import pick_device
    from streamer.models.tiny.depth import TinyDepth
    from streamer.models.tiny.weights import load_dpt

    chosen = pick_device(device)
    depth = TinyDepth(load_dpt(), TINY, chosen, parameters.precision, parameters.compile, parameters.runtime)
    depth.warm_up()
    return depth


def _build_dpt(parameters: DepthParameters, device: str) -> DepthEstimator:
    from streamer.models.dpt.estimator import DptEstimator
    from streamer.models.runtime.devices import pick_device

    estimator = DptEstimator(parameters.model, pick_device(device), parameters.precision, parameters.compile)
    estimator.warm_up()
    return estimator


SEGMENTERS: dict[str, Callable[[SegmenterParameters, str], Segmenter]] = {
    TINY: _build_tiny_sam,
    **{name: _build_checkpoint if name in file_models() else _build_promptable for name in names_of(SEGMENTER)},
}
DEPTH_ESTIMATORS: dict[str, Callable[[DepthParameters, str], DepthEstimator]] = {
    TINY: _build_tiny_depth,
    **dict.fromkeys(names_of(DEPTH), _build_dpt),
}


def load_segmenter(parameters: SegmenterParameters, device: str) -> Segmenter:
    """A segmenter, ready to encode.

    Args:
        parameters: Which one, and how it runs. What is no name of `SEGMENTERS` is the path of a checkpoint (of SAM,
            MobileSAM or SAM 2), or a folder or a Hugging Face name of a model that transformers has.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    _check_runtime("segmenter", parameters)
    return _segmenter_builder(official_name(parameters.model))(parameters, device)


def _check_runtime(section: str, parameters: SegmenterParameters | DepthParameters) -> None:
    if parameters.runtime == "openvino" and parameters.model != TINY:
        raise ModelError(
            f"{section}.runtime=openvino is for the bundled model, and {parameters.model} is another: "
            f"set it to auto or torch, or {section}.model to {TINY}."
        )


def _segmenter_builder(model: str) -> Callable[[SegmenterParameters, str], Segmenter]:
    if model in SEGMENTERS:
        return SEGMENTERS[model]
    if Path(model).suffix in CHECKPOINT_SUFFIXES:
        return _build_checkpoint
    if _may_be_elsewhere(model):
        return _build_promptable
    raise unknown("segmenter", model, SEGMENTERS, ", or name a checkpoint file or a folder")


def remembering(
    segmenter: Segmenter, device: str, method: str = BUNDLED_MEMORY, runtime: str = "auto"
) -> RememberingSegmenter:
    """The segmenter with a memory: its own, or the bundled one, which then looks at every frame beside it.

    Args:
        segmenter: What answers prompts.
        device: Where the bundled memory runs.
        method: `tracking.method`: whose memory is meant.
        runtime: What the bundled memory runs through, where it looks at the frames by itself.

    Raises:
        ModelError: The bundled weights are missing or damaged, or that memory is not the segmenter's.
    """
    from streamer.models.tiny import weights as tiny
    from streamer.models.tiny.remembering import Remembering

    if hasattr(segmenter, "memory") and getattr(segmenter, "tracks", method) == method:
        return cast(RememberingSegmenter, segmenter)
    if method != BUNDLED_MEMORY:
        able = " or ".join(name for name, card in CATALOG.items() if card.tracks == method and card.file is None)
        raise ModelError(
            f"tracking.method {method} is the memory of {able}, and {segmenter.name} has none such: "
            f"set segmenter.model to one of them, or tracking.method to {BUNDLED_MEMORY}."
        )
    return Remembering(segmenter, _with_memory(tiny.load_sam(), device, "auto", runtime))


def load_depth(parameters: DepthParameters, device: str) -> DepthEstimator:
    """A depth model, ready to estimate.

    Args:
        parameters: Which one, and how it runs. What is no name of `DEPTH_ESTIMATORS` is a folder or a Hugging Face name
            of a depth model that transformers has.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    model = parameters.model
    _check_runtime("depth", parameters)
    if model not in DEPTH_ESTIMATORS and not _may_be_elsewhere(model):
        raise unknown("depth model", model, DEPTH_ESTIMATORS, ", or give another Hugging Face name or a folder")
    return DEPTH_ESTIMATORS.get(model, _build_dpt)(parameters, device)


def _may_be_elsewhere(model: str) -> bool:
    """Whether this may be a folder, or the name of a model on Hugging Face."""
    return hub.is_name(model) or "/" in model or Path(model).expanduser().is_dir()


def load_sam(model: str, checkpoint: str | Path | None = None) -> Any:
    """Upstream's own ``Sam``, float32 on the CPU, for what works with nothing else.

    Args:
        model: tiny, vit_b, vit_l, vit_h, vit_t, or the path of a checkpoint.
        checkpoint: Weights of that model in another place than the cache.

    Raises:
        ModelError: There is no such model, or its weights are missing or damaged.
    """
    from streamer.models.tiny import weights as tiny
    from streamer.models.weights import checkpoints

    if model == TINY:
        return tiny.load_sam() if checkpoint is None else tiny.load_sam(Path(checkpoint).expanduser())
    return checkpoints.load_sam(*_checkpoint_of(model, checkpoint))


def _checkpoint_of(model: str, checkpoint: str | Path | None) -> tuple[Path, str | None]:
    """The file with the weights of a model, and its architecture where the name tells it.

    Raises:
        ModelError: There is no such model, or its weights are not here.
    """
    from streamer.models.weights.checkpoints import ARCHITECTURES

    name = official_name(model)
    architecture = name if name in ARCHITECTURES else None
    if checkpoint is not None:
        return Path(checkpoint).expanduser(), architecture
    here = Path(model).expanduser()
    if here.is_file():
        return here, architecture
    if name in file_models():
        path = checkpoint_path(name)
        if path.exists():
            return path, architecture
        raise ModelError(
            f"The weights of {name} are not here: run `streamer models pull {name}`, "
            f"or bring {address_of(name)} to {path}."
        )
    if here.suffix in CHECKPOINT_SUFFIXES:
        return here, architecture
    raise unknown("segmenter", model, SEGMENTERS, ", or name a checkpoint file")
