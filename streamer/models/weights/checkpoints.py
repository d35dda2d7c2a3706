"""SAM checkpoints from files: recognized, refused if they could run code, loaded without building weights twice."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from segment_anything import sam_model_registry
from torch import Tensor

from streamer.errors import ModelError

SUFFIXES = (".pth", ".pt", ".safetensors")
ARCHITECTURES = ("vit_b", "vit_l", "vit_h")
WIDTH_KEY = "image_encoder.patch_embed.proj.weight"
ARCHITECTURE_OF_WIDTH = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
# As upstream's build_sam sets them; they are no part of a checkpoint.
PIXEL_STATISTICS = {"pixel_mean": [123.675, 116.28, 103.53], "pixel_std": [58.395, 57.12, 57.375]}
DAMAGE = (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError)


def load_sam(path: Path, architecture: str | None = None) -> Any:
    """The ``Sam`` whose weights lie in ``path`` (``.pth`` or ``.safetensors``), on the CPU in float32.

    Args:
        path: The checkpoint.
        architecture: vit_b, vit_l or vit_h where it is known; else it is read off the weights.

    Raises:
        ModelError: The file is no checkpoint of SAM, is damaged, would run code, or is of another architecture.
    """
    weights = read_weights(path)
    found = _recognize(weights, path)
    if architecture is not None and found != architecture:
        raise ModelError(f"{path} holds {found}, not {architecture}: choose the model {found} or another checkpoint.")
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
    """The tensors of a checkpoint. Nothing in the file is executed.

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
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ModelError(f"{path} is not a SAM checkpoint: it must hold named tensors and nothing else.")
    return weights


def _recognize(weights: dict[str, Tensor], path: Path) -> str:
    """The architecture (vit_b, vit_l, vit_h), read off the width of the patch embedding."""
    width = weights[WIDTH_KEY].shape[0] if WIDTH_KEY in weights else None
    if width not in ARCHITECTURE_OF_WIDTH:
        raise ModelError(f"{path} is not a SAM checkpoint: use one of {', '.join(ARCHITECTURES)}.")
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
