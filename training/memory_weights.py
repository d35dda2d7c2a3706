"""Reading and writing the memory's weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from streamer.models.tiny.memory import MemoryNetwork


def save_memory(network: MemoryNetwork, path: Path) -> None:
    """Write the weights in half precision, which is how they are shipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.to("cpu", torch.float16).contiguous() for name, value in network.state_dict().items()}
    save_file(state, path)


def load_memory(path: Path) -> MemoryNetwork:
    """The memory, float32 on the CPU, in evaluation mode."""
    network = MemoryNetwork()
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
