"""What both trainings share: the time budget, the learning rate, averaged weights, and checkpoints to resume from."""

from __future__ import annotations

import copy
import math
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from streamer.models.runtime.devices import has_fast_bfloat16

T = TypeVar("T")


@dataclass
class Budget:
    """Training time, which survives interruptions.

    Attributes:
        total_s: What may be spent [s].
        spent_s: What earlier runs spent [s].
    """

    total_s: float
    spent_s: float = 0.0
    _started_s: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        """Time spent on training so far, earlier runs included [s]."""
        return self.spent_s + time.monotonic() - self._started_s

    def progress(self) -> float:
        """0 at the start, 1 and more at the end."""
        return self.elapsed_s() / self.total_s

    def pause(self, seconds_s: float) -> None:
        """Leave out time that went into evaluation [s]."""
        self._started_s += seconds_s


def learning_rate_factor(step: int, progress: float, warmup_steps: int = 60) -> float:
    """Linear warm-up, then half a cosine down to a hundredth at ``progress`` 1."""
    warmup = min(1.0, (step + 1) / warmup_steps)
    return warmup * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def make_optimizer(
    model: nn.Module, backbone: nn.Module, learning_rate: float, backbone_factor: float
) -> torch.optim.AdamW:
    """AdamW whose pretrained backbone learns more slowly; biases, norms and embeddings do not decay."""
    pretrained = {id(parameter) for parameter in backbone.parameters()}
    groups = []
    for in_backbone in (True, False):
        for decays in (True, False):
            chosen = [
                p
                for p in model.parameters()
                if p.requires_grad and (id(p) in pretrained) == in_backbone and (p.dim() > 1) == decays
            ]
            rate = learning_rate * (backbone_factor if in_backbone else 1.0)
            groups.append({"params": chosen, "lr": rate, "peak": rate, "weight_decay": 0.05 if decays else 0.0})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set every group to ``factor`` times its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


class Average:
    """Exponential moving average of a model's weights, quick at first."""

    def __init__(self, model: nn.Module, decay: float = 0.995) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average a little towards ``model``."""
        decay = min(self.decay, (step + 1) / (step + 10))
        own = self.model.state_dict()
        averaged, fresh = [], []
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                averaged.append(own[name])
                fresh.append(value)
        torch._foreach_lerp_(averaged, fresh, 1 - decay)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an interrupted training stood."""

    step: int
    spent_s: float


def save_checkpoint(
    path: Path, model: nn.Module, average: Average, optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write everything that is needed to go on, by rename, so that an interruption leaves the last one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "model": model.state_dict(),
        "average": average.model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": progress.step,
        "spent_s": progress.spent_s,
    }
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def load_checkpoint(path: Path, model: nn.Module, average: Average, optimizer: torch.optim.Optimizer) -> Progress:
    """Put a checkpoint back and say where it stood."""
    content: dict[str, object] = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(_tensors(content["model"]))
    average.model.load_state_dict(_tensors(content["average"]))
    peaks = [group["peak"] for group in optimizer.param_groups]
    optimizer.load_state_dict(content["optimizer"])  # type: ignore[arg-type]
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["peak"] = peak
    return Progress(step=int(str(content["step"])), spent_s=float(str(content["spent_s"])))


def _tensors(state: object) -> dict[str, Tensor]:
    if not isinstance(state, dict):
        raise TypeError("the checkpoint holds no state dict: delete it and start again")
    return state


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware multiplies it (GPUs, CPUs with AMX or AVX512_BF16), full precision elsewhere."""
    capable = device.type == "cuda" or has_fast_bfloat16()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=capable)


def interleaved(streams: Sequence[Iterator[T]], shares: Sequence[float], seed: int) -> Iterator[T]:
    """Endlessly the next of one of the streams, chosen by chance with these shares."""
    rng = np.random.default_rng(seed)
    while True:
        yield next(streams[int(rng.choice(len(streams), p=shares))])


def batches(stream: Iterator[dict[str, NDArray[Any]]], batch_size: int) -> Iterator[dict[str, Tensor]]:
    """Endless batches of an endless stream, each of samples of one size, made ahead of time by a thread.

    A thread is enough, for OpenCV and torch let go of the interpreter; a forked process hangs in their thread pools.
    """
    ahead: queue.Queue[dict[str, Tensor] | Exception] = queue.Queue(maxsize=4)

    def fill() -> None:
        try:
            make()
        except Exception as error:
            ahead.put(error)

    def make() -> None:
        waiting: dict[tuple[tuple[int, ...], ...], list[dict[str, NDArray[Any]]]] = defaultdict(list)
        for sample in stream:
            batch = waiting[tuple(value.shape for value in sample.values())]
            batch.append(sample)
            if len(batch) == batch_size:
                ahead.put({name: torch.from_numpy(np.stack([one[name] for one in batch])) for name in sample})
                batch.clear()

    threading.Thread(target=fill, daemon=True).start()
    while True:
        batch = ahead.get()
        if isinstance(batch, Exception):
            raise batch
        yield batch
