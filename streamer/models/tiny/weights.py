"""The weights that come with the package: reading them, and writing them after a training."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from streamer.errors import ModelError
from streamer.models.sam.networks import Sam
from streamer.models.tiny.backbone import fold_batch_norms
from streamer.models.tiny.dpt import TinyDpt, renamed
from streamer.models.tiny.memory import MemoryNetwork
from streamer.models.tiny.refiner import RefinerNetwork
from streamer.models.tiny.sam import build_sam
from streamer.models.tiny.things import ThingHead
from streamer.models.tiny.words import TinyWords

SAM_WEIGHTS = Path(__file__).with_name("sam_tiny.safetensors")
MEMORY_WEIGHTS = Path(__file__).with_name("memory_tiny.safetensors")
REFINER_WEIGHTS = Path(__file__).with_name("refiner_tiny.safetensors")
THINGS_WEIGHTS = Path(__file__).with_name("things_tiny.safetensors")
DPT_FOLDER = Path(__file__).with_name("dpt_tiny")
WORDS_WEIGHTS = Path(__file__).with_name("words_tiny.safetensors")
Network = TypeVar("Network", bound=nn.Module)
_SCALE = ".scale"
_STEPS = 127


def load_sam(path: Path = SAM_WEIGHTS) -> Sam:
    """The tiny `Sam`, float32 on the CPU, in evaluation mode.

    Raises:
        ModelError: The weights are missing, damaged or of another architecture.
    """
    return _filled(build_sam(), path, "the tiny SAM")


def load_memory(path: Path = MEMORY_WEIGHTS) -> MemoryNetwork:
    """The memory of the tiny SAM, float32 on the CPU, in evaluation mode.

    Raises:
        ModelError: The weights are missing, damaged or of another architecture.
    """
    return _ready(_filled(MemoryNetwork(), path, "the memory"))


def load_refiner(path: Path = REFINER_WEIGHTS) -> RefinerNetwork:
    """What mends carried masks, float32 on the CPU, in evaluation mode.

    Raises:
        ModelError: The weights are missing, damaged or of another architecture.
    """
    return _ready(_filled(RefinerNetwork(), path, "the refiner"))


def load_things(path: Path = THINGS_WEIGHTS) -> ThingHead:
    """What tells things from the rest on the tiny SAM's embedding, float32 on the CPU.

    Raises:
        ModelError: The weights are missing or damaged.
    """
    return _ready(_filled(ThingHead(), path, "what tells things from the rest"))


def _filled(network: Network, path: Path, name: str) -> Network:
    """The network with the weights of a file that :func:`save_halved` wrote.

    Raises:
        ModelError: They are missing, damaged or of another architecture.
    """
    try:
        network.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    except (OSError, SafetensorError, RuntimeError):
        raise ModelError(f"The weights of {name} in {path} are missing or damaged: reinstall streamer.") from None
    return network


def _ready(network: Network) -> Network:
    """To answer with, not to be trained."""
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]


def save_halved(network: nn.Module, path: Path) -> None:
    """Write the weights of a `Sam` or of what reads its embeddings in half precision, which is how they are shipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.to("cpu", torch.float16).contiguous() for name, value in network.state_dict().items()}
    save_file(state, path)


def load_dpt(folder: Path = DPT_FOLDER) -> TinyDpt:
    """The tiny DPT from its folder, float32 on the CPU, in evaluation mode.

    Raises:
        ModelError: The weights are missing, damaged or of another architecture.
    """
    dpt, weights = TinyDpt(), dpt_folder(folder) / "model.safetensors"
    try:
        state = renamed(load_file(weights))
        lacking = dpt.load_state_dict({name: value.float() for name, value in state.items()}, strict=False).missing_keys
    except (OSError, SafetensorError, RuntimeError, KeyError):
        lacking = ["all"]
    if lacking:
        raise ModelError(f"The weights of the tiny DPT in {folder} are missing or damaged: reinstall streamer.")
    fold_batch_norms(dpt.backbone)
    return dpt.eval()


def dpt_folder(folder: Path = DPT_FOLDER) -> Path:
    """The folder of the tiny DPT, for `DPTForDepthEstimation.from_pretrained` and `DPTImageProcessor`.

    Raises:
        ModelError: A file is missing.
    """
    for name in ("config.json", "model.safetensors", "preprocessor_config.json"):
        if not (folder / name).is_file():
            raise ModelError(f"The tiny DPT lacks {folder / name}: reinstall streamer.")
    return folder


def load_words(path: Path = WORDS_WEIGHTS) -> TinyWords:
    """What the tiny detector sees with, float32 on the CPU, in evaluation mode.

    Raises:
        ModelError: The weights are missing, damaged or of another architecture.
    """
    try:
        stored = load_file(path)
        words = TinyWords(len(stored["word_thresholds"]))
        words.load_state_dict({name: _unpacked(stored, name) for name in stored if not name.endswith(_SCALE)})
    except (OSError, SafetensorError, RuntimeError, KeyError):
        raise ModelError(
            f"The weights of the tiny detector in {path} are missing or damaged: reinstall streamer."
        ) from None
    return words.eval()


def save_words(words: TinyWords, path: Path) -> None:
    """Write matrices in eight bits with a scale for each row, all else in half precision, as they are shipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {}
    for name, value in words.state_dict().items():
        if value.dim() < 2:
            stored[name] = value.half()
            continue
        scale = (value.flatten(1).abs().amax(1).clamp(min=1e-4) / _STEPS).half().float()
        rows = (len(value), *[1] * (value.dim() - 1))
        stored[name] = (value / scale.view(rows)).round().clamp(-_STEPS, _STEPS).to(torch.int8).contiguous()
        stored[name + _SCALE] = scale.half()
    save_file(stored, path)


def _unpacked(stored: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    value = stored[name].float()
    scale = stored.get(name + _SCALE)
    return value if scale is None else value * scale.float().view(-1, *[1] * (value.dim() - 1))
