"""One training run on a model of sixteen weights, under a clock of its own."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
import torch
from torch import nn

from training import loop, run
from training.run import Batch, Part, Training, parser

STEP_S, MEASURE_S = 30.0, 100.0
STEPS_PER_HOUR = int(3600 / STEP_S)


class Clock:
    now_s = 5000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock, threads, cv2_threads = Clock(), torch.get_num_threads(), cv2.getNumThreads()
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=clock, process_time=time.process_time))
    yield clock
    torch.set_num_threads(threads)
    cv2.setNumThreads(cv2_threads)


class LineTraining(Training):
    """Learns y = 2 a - b. Every step takes 30 s, and measuring 100 s."""

    def __init__(self, folder: Path, clock: Clock, interrupt_at: int | None = None, minutes: float = 60) -> None:
        options = parser(None, run=str(folder), minutes=minutes, learning_rate=0.05)
        arguments = options.parse_args(["--threads", "1"])
        torch.manual_seed(1)
        backbone = nn.Linear(2, 4)
        super().__init__(nn.Sequential(backbone, nn.Linear(4, 1)), backbone, arguments)
        self.budget = loop.Budget(self.budget.total_s, self.budget.spent_s, clock())
        self.clock, self.interrupt_at = clock, interrupt_at
        self.happened: list[tuple[str, int]] = []
        self.losses: list[float] = []

    def parts(self) -> list[Part]:
        return [Part(name, until, partial(self.begin, name), self.loss) for name, until in (("easy", 0.5), ("hard", 1))]

    def begin(self, name: str) -> Iterator[Batch]:
        self.happened.append((name, self.step))
        generator = torch.Generator().manual_seed(self.step)
        while True:
            if self.step == self.interrupt_at:
                raise KeyboardInterrupt
            self.clock.now_s += STEP_S
            points = torch.randn(16, 2, generator=generator)
            yield {"points": points, "values": points @ torch.tensor([[2.0], [-1.0]])}

    def loss(self, batch: Batch) -> torch.Tensor:
        loss = (self.model(batch["points"]).float() - batch["values"]).square().mean()
        self.losses.append(loss.item())
        return loss

    def measure(self) -> str:
        self.happened.append(("measure", self.step))
        self.clock.now_s += MEASURE_S
        return "the measured line"

    def export(self) -> None:
        self.happened.append(("export", self.step))
        torch.save(self.average.model.state_dict(), self.folder / "shipped.pt")


def weights_of(model: nn.Module) -> list[float]:
    return torch.cat([value.flatten() for value in model.state_dict().values()]).tolist()


def test_a_run_goes_through_its_parts_learns_and_ends_on_time(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    training = LineTraining(tmp_path, clock)
    training.run()
    names = dict(reversed(training.happened))  # of each, the first time
    assert (names["easy"], names["hard"]) == (0, STEPS_PER_HOUR // 2)
    assert training.step == STEPS_PER_HOUR, "time that is spent on measuring counts as training"
    assert training.happened[-2:] == [("measure", STEPS_PER_HOUR), ("export", STEPS_PER_HOUR)]
    assert sum(training.losses[-10:]) < sum(training.losses[:10]) / 20
    printed = capsys.readouterr().out
    assert f"step {STEPS_PER_HOUR}: the measured line" in printed
    assert " 10.0 min  step 20  easy  loss " in printed
    assert printed.count(" 30.00 s/step") == printed.count(" s/step ") > 0


def test_it_saves_and_measures_now_and_then(tmp_path: Path, clock: Clock) -> None:
    training = LineTraining(tmp_path, clock)
    training.run()
    for name, every_s in (("export", run.SAVE_EVERY_S), ("measure", run.EVALUATE_EVERY_S)):
        steps = [0, *(step for what, step in training.happened if what == name)]
        gaps_s = [STEP_S * (after - before) for before, after in pairwise(steps)]
        assert max(gaps_s) <= every_s + STEP_S
        assert min(gaps_s[:-1]) > every_s, "the last one is the end's own"


def test_an_interrupted_run_goes_on_where_it_was_saved_last(tmp_path: Path, clock: Clock) -> None:
    interrupted = LineTraining(tmp_path, clock, interrupt_at=53)
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    saved_step = max(step for what, step in interrupted.happened if what == "export")
    assert 53 - run.SAVE_EVERY_S / STEP_S - 1 <= saved_step < 53
    shipped = torch.load(tmp_path / "shipped.pt", weights_only=True)

    clock.now_s += 1e6
    resumed = LineTraining(tmp_path, clock)
    assert resumed.step == saved_step
    assert resumed.budget.elapsed_s() == saved_step * STEP_S
    assert weights_of(resumed.average.model) == torch.cat([value.flatten() for value in shipped.values()]).tolist()
    assert weights_of(resumed.model) != weights_of(resumed.average.model)
    momentum = next(iter(resumed.optimizer.state.values()))["exp_avg"]
    assert momentum.abs().sum() > 0

    resumed.run()
    assert resumed.happened[0] == ("easy", saved_step)
    assert resumed.step == STEPS_PER_HOUR
    assert max(resumed.losses[:5]) < min(interrupted.losses[:5])


def test_a_finished_run_measures_and_no_more_until_it_is_given_more_time(tmp_path: Path, clock: Clock) -> None:
    LineTraining(tmp_path, clock).run()
    again = LineTraining(tmp_path, clock)
    again.run()
    assert again.happened == [("measure", STEPS_PER_HOUR), ("export", STEPS_PER_HOUR)]
    longer = LineTraining(tmp_path, clock, minutes=90)
    longer.run()
    assert longer.happened[0] == ("hard", STEPS_PER_HOUR)
    assert longer.step == STEPS_PER_HOUR * 1.5


def test_the_rate_warms_up_and_the_backbone_learns_more_slowly(tmp_path: Path, clock: Clock) -> None:
    training = LineTraining(tmp_path, clock)
    rates = []
    plain = training.optimizer.step
    training.optimizer.step = lambda: (rates.append([g["lr"] for g in training.optimizer.param_groups]), plain())
    training.run()
    backbone, head = ([groups[place] for groups in rates] for place in (0, 2))
    assert backbone == pytest.approx([run.BACKBONE_RATE * rate for rate in head])
    peak = head.index(max(head))
    assert head[:peak] == sorted(head[:peak])
    assert head[peak:] == sorted(head[peak:], reverse=True)
    assert 0 < peak < STEPS_PER_HOUR - 1


def test_the_options_have_the_defaults_that_a_training_gives() -> None:
    options = parser("words", run="runs/x", minutes=7, learning_rate=0.5)
    arguments = options.parse_args(["--seed", "3"])
    expected = argparse.Namespace(
        run=Path("runs/x"), data=run.DATA_ROOT, minutes=7, learning_rate=0.5, seed=3, threads=2
    )
    assert arguments == expected
