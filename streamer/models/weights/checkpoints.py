"""Checkpoints of SAM, MobileSAM and SAM 2 from files: recognized, refused if they could run code, taken out of what
trainings wrap them in."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from streamer.errors import ModelError

ARCHITECTURES = ("vit_b", "vit_l", "vit_h", "vit_t")
SAM2 = "sam2"
MOBILE_KEYS = ("image_encoder.patch_embed.seq.0.c.weight", "image_encoder.vit.patch_embed.conv1.conv.weight")
"""MobileSAM's own name of its first layer, and ours."""
WRAPPERS = ("model", "state_dict", "model_state_dict", "net", "sam")
"""What trainings call the weights among whatever else they save."""
WIDTH_KEY = "image_encoder.patch_embed.proj.weight"
ARCHITECTURE_OF_WIDTH = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
# As upstream's build_sam sets them; they are no part of a checkpoint.
PIXEL_STATISTICS = {"pixel_mean": [123.675, 116.28, 103.53], "pixel_std": [58.395, 57.12, 57.375]}
DAMAGE = (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError)


def load(path: Path, architecture: str | None = None) -> tuple[str, Any]:
    """The model whose weights lie in a file, on the CPU in float32, and its architecture.

    It is a ``Sam`` of segment-anything, or a ``Sam2VideoModel`` of transformers.

    Args:
        path: The checkpoint.
        architecture: vit_b, vit_l, vit_h, vit_t or sam2 where it is known; else it is read off the weights.

    Raises:
        ModelError: The file is no checkpoint of SAM, is damaged, would run code, or is of another architecture.
    """
    weights = read_weights(path)
    found = _recognize(weights, path)
    if architecture is not None and found != architecture:
        raise ModelError(f"{path} holds {found}, not {architecture}: choose the model {found} or another checkpoint.")
    if found == SAM2:
        from streamer.models.sam2.checkpoint import load_sam2

        return found, load_sam2(weights, path)
    return found, _load_sam(found, weights, path)


def load_sam(path: Path, architecture: str | None = None) -> Any:
    """:func:`load` for what works with a ``Sam`` only.

    Raises:
        ModelError: As :func:`load`, or it is a SAM 2.
    """
    found, sam = load(path, architecture)
    if found == SAM2:
        raise ModelError(f"{path} is a SAM 2, and only a SAM will do here: choose one of {', '.join(ARCHITECTURES)}.")
    return sam


def _load_sam(found: str, weights: dict[str, Tensor], path: Path) -> Any:
    if found == "vit_t":
        from streamer.models.sam import mobile

        sam, weights = mobile.build_mobile_sam(), mobile.renamed(weights)
    else:
        from segment_anything import sam_model_registry  # not above: it takes torchvision, which others need not

        with torch.device("meta"):
            sam = sam_model_registry[found]()
    try:
        sam.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ModelError(f"{path} does not fit SAM {found}: {str(error).splitlines()[1].strip()}") from None
    for name, values in PIXEL_STATISTICS.items():
        sam.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)
    return sam.float().eval()


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, by the names that the model's own release has. Nothing in the file is executed.

    What trainings wrap around them is taken off: the dictionary of weights, optimizer and so on, and prefixes as
    ``module.``.

    Raises:
        ModelError: The file is not there, is damaged, or is a pickle with more than tensors in it.
    """
    try:
        if path.suffix == ".safetensors":
            weights = safetensors.torch.load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except FileNotFoundError:
        raise ModelError(f"There is no checkpoint {path}: check the path.") from None
    except DAMAGE as error:
        raise ModelError(_explain(path, error)) from None
    weights = _unwrapped(weights)
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ModelError(f"{path} is not a SAM checkpoint: it must hold named tensors.")
    return _without_prefix(weights)


def _unwrapped(content: Any) -> Any:
    """What the weights are called among what a training saved; the content itself where nothing is wrapped."""
    while isinstance(content, dict):
        inner = next((content[name] for name in WRAPPERS if isinstance(content.get(name), dict)), None)
        if inner is None:
            return content
        content = inner
    return content


def _without_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without what stands before ``image_encoder.`` in all of them: ``module.``, ``model.``, ``sam.``."""
    marker = next((name for name in weights if "image_encoder." in name), "")
    prefix = marker.partition("image_encoder.")[0]
    if not prefix:
        return weights
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _recognize(weights: dict[str, Tensor], path: Path) -> str:
    """The architecture (vit_b, vit_l, vit_h, vit_t, sam2), read off the names and sizes of the weights."""
    if "image_encoder.trunk.patch_embed.proj.weight" in weights:
        return SAM2
    if any(key in weights for key in MOBILE_KEYS):
        return "vit_t"
    width = weights[WIDTH_KEY].shape[0] if WIDTH_KEY in weights else None
    if width not in ARCHITECTURE_OF_WIDTH:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(f"{path} is not a SAM checkpoint: use one of {known}, or of SAM 2, or fine-tuned from these.")
    return ARCHITECTURE_OF_WIDTH[width]


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in str(error):
        return f"The checkpoint {path} was refused because it holds code, not only weights: use the official file."
    if isinstance(error, OSError) and error.strerror:
        return f"The checkpoint {path} cannot be read ({error.strerror}): check its path and permissions."
    return f"The checkpoint {path} cannot be read and seems damaged: download it again."
