"""Which models there are, where their weights lie, and how to get and load them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import ModelError
from streamer.models.protocols import DepthEstimator, Segmenter
from streamer.models.weights import hub
from streamer.models.weights.cache import cache_folder
from streamer.models.weights.download import Progress, fetch, ignore_progress, is_intact

TINY = "tiny"
SAM_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything"


@dataclass(frozen=True, slots=True)
class SamWeights:
    """An official checkpoint of SAM."""

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
class Row:
    """One model, as ``streamer models list`` shows it.

    Attributes:
        name: What it is called in a config.
        kind: ``segmenter``, ``depth``, or both.
        state: ``bundled``, ``cached`` or ``available``.
        size_bytes: Of its weights; None where that is not known before the download.
        path: Where the weights are, or will be.
    """

    name: str
    kind: str
    state: str
    size_bytes: int | None
    path: Path


@dataclass(frozen=True, slots=True)
class Check:
    """Whether the weights of one model are whole, and what to do if not."""

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
    raise ModelError(
        f"There is no model {name!r} to download: choose one of {', '.join([*SAM_WEIGHTS, *DEPTH_MODELS])}."
    )


def load_segmenter(
    model: str = TINY,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    compile: bool = False,
) -> Segmenter:
    """SAM, ready to encode.

    Args:
        model: tiny, vit_b, vit_l or vit_h, or the path of a checkpoint.
        checkpoint: Weights of that model in another place than the cache.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, float32, bfloat16 or float16, of the image encoder.
        compile: Generate code for the encoder at its first use.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    from streamer.models.runtime.devices import pick_device
    from streamer.models.sam.segmenter import SamSegmenter

    if model == TINY and precision == "auto":
        precision = "float32"  # bfloat16 takes three quarters of the time, and costs a point of J&F on DAVIS
    segmenter = SamSegmenter(load_sam(model, checkpoint), model, pick_device(device), precision, compile)
    segmenter.warm_up()
    return segmenter


def load_depth(
    model: str = TINY, device: str = "auto", precision: str = "auto", compile: bool = False
) -> DepthEstimator:
    """A depth model, ready to estimate.

    Args:
        model: tiny, a Hugging Face name like ``Intel/dpt-large``, or a folder.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, float32, bfloat16 or float16.
        compile: Generate code for it at its first use.

    Raises:
        ModelError: There is no such model, its weights are missing or damaged, or it cannot run here.
    """
    from streamer.models import tiny
    from streamer.models.dpt.estimator import DptEstimator
    from streamer.models.runtime.devices import pick_device

    source: str | Path = tiny.dpt_folder() if model == TINY else model
    estimator = DptEstimator(source, pick_device(device), precision, compile, name=model)
    estimator.warm_up()
    return estimator


def list_models() -> list[Row]:
    """Every model that has a name here, and where it stands."""
    folder = Path(__file__).parent / TINY
    rows = [Row(TINY, "segmenter and depth", "bundled", _folder_size(folder), folder)]
    for name, weights in SAM_WEIGHTS.items():
        path = checkpoint_path(name)
        state = "cached" if path.exists() else "available"
        rows.append(Row(name, "segmenter", state, weights.size_bytes, path))
    cached = hub.cached()
    for name in sorted({*DEPTH_MODELS, *cached}):
        size_bytes, path = cached.get(name, (None, hub.cache_folder()))
        rows.append(Row(name, "depth", "cached" if name in cached else "available", size_bytes, path))
    return rows


def check() -> list[Check]:
    """Verify what is cached: SAM checkpoints by size and SHA-256, depth models by their files being there."""
    checks = []
    for name, weights in SAM_WEIGHTS.items():
        path = checkpoint_path(name)
        if not path.exists():
            continue
        intact = is_intact(path, weights.size_bytes, weights.sha256)
        advice = f"delete {path} and run `streamer models pull {name}`"
        checks.append(Check(name, intact, f"{path} is whole" if intact else f"{path} is damaged: {advice}"))
    for name, (_, path) in sorted(hub.cached().items()):
        missing = hub.missing_files(path)
        advice = f"run `streamer models pull {name}`"
        checks.append(
            Check(name, not missing, f"{path} lacks {', '.join(missing)}: {advice}" if missing else f"{path} is whole")
        )
    return checks


def load_sam(model: str, checkpoint: str | Path | None = None) -> Any:
    """Upstream's own ``Sam``, float32 on the CPU, for what works with nothing else; arguments as `load_segmenter`.

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
    raise ModelError(
        f"There is no segmenter {model!r}: choose one of {', '.join([TINY, *SAM_WEIGHTS])}, or name a checkpoint file."
    )


def _folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
