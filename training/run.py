"""One training run, of whichever model: it lives in a folder, and goes on there after an interruption."""

from __future__ import annotations

import argparse
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from training import loop
from training.photos import DATA_ROOT

Batch = dict[str, Tensor]

BACKBONE_RATE = 0.3
EVALUATE_EVERY_S = 900.0
SAVE_EVERY_S = 180.0
LOG_EVERY_STEPS = 20


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a training.

    Attributes:
        name: For the lines on the screen.
        until: Share of the time at which it ends.
        begin: Prepares the model and gives endless batches.
        loss: Of one batch.
    """

    name: str
    until: float
    begin: Callable[[], Iterator[Batch]]
    loss: Callable[[Batch], Tensor]


class Training(ABC):
    """The loop; what is trained, on what and how it is measured is for those who derive from it.

    Args:
        model: Starts from what the folder's checkpoint holds, if there is one.
        backbone: The part of it that is pretrained and learns more slowly.
        arguments: What `parser` read.
    """

    evaluate_every_s = EVALUATE_EVERY_S

    def __init__(self, model: nn.Module, backbone: nn.Module, arguments: argparse.Namespace) -> None:
        torch.manual_seed(arguments.seed)
        torch.set_num_threads(arguments.threads)
        cv2.setNumThreads(1)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.seed: int = arguments.seed
        self.folder: Path = arguments.run
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = loop.Average(self.model)
        self.optimizer = loop.make_optimizer(self.model, backbone, arguments.learning_rate, BACKBONE_RATE)
        start = loop.Progress(0, 0.0)
        if self._checkpoint.exists():
            start = loop.load_checkpoint(self._checkpoint, self.model, self.average, self.optimizer)
        self.step = start.step
        self.budget = loop.Budget(60 * arguments.minutes, start.spent_s)
        self._saved_s = self._measured_s = start.spent_s

    @abstractmethod
    def parts(self) -> list[Part]:
        """What is done, one after the other."""

    @abstractmethod
    def measure(self) -> str:
        """One line about the averaged weights."""

    @abstractmethod
    def export(self) -> None:
        """Write the averaged weights in the form in which they are shipped."""

    def run(self) -> None:
        """Train through what is left of all parts, then measure and save."""
        for part in self.parts():
            if self.budget.progress() < part.until:
                self._run_part(part)
        self._measure()
        self._save()

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _run_part(self, part: Part) -> None:
        stream = part.begin()
        logged_s = self.budget.elapsed_s()
        losses: list[float] = []
        while self.budget.progress() < part.until:
            losses.append(self._train_step(part.loss, next(stream)))
            now_s = self.budget.elapsed_s()
            if self.step % LOG_EVERY_STEPS == 0:
                print(
                    f"{now_s / 60:6.1f} min  step {self.step}  {part.name}  loss {np.mean(losses):.4f}  "
                    f"{(now_s - logged_s) / len(losses):.2f} s/step  {time.process_time() / 60:.1f} min of CPU",
                    flush=True,
                )
                losses, logged_s = [], now_s
            if now_s - self._saved_s > SAVE_EVERY_S:
                self._save()
            if now_s - self._measured_s > self.evaluate_every_s:
                self._measure()

    def _train_step(self, loss_of: Callable[[Batch], Tensor], batch: Batch) -> float:
        batch = {name: value.to(self.device) for name, value in batch.items()}
        loop.set_learning_rate(self.optimizer, loop.learning_rate_factor(self.step, self.budget.progress()))
        with loop.autocast(self.device):
            loss = loss_of(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.average.update(self.model, self.step)
        return loss.item()

    def _measure(self) -> None:
        started_s = time.monotonic()
        print(f"   step {self.step}: {self.measure()}", flush=True)
        self.budget.pause(time.monotonic() - started_s)
        self._measured_s = self.budget.elapsed_s()

    def _save(self) -> None:
        progress = loop.Progress(self.step, self.budget.elapsed_s())
        loop.save_checkpoint(self._checkpoint, self.model, self.average, self.optimizer, progress)
        self.export()
        self._saved_s = progress.spent_s


def parser(description: str | None, run: str, minutes: float, learning_rate: float) -> argparse.ArgumentParser:
    """The options that every training has, with these defaults."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--run", type=Path, default=Path(run), help="folder of the checkpoints")
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--minutes", type=float, default=minutes, help="training time in all, earlier runs included")
    options.add_argument("--learning-rate", type=float, default=learning_rate)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--threads", type=int, default=2)
    return options
