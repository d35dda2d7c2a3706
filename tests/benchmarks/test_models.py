from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from streamer.benchmarks import model_speed as bench
from streamer.benchmarks import models
from tests import small_models  # noqa: F401  (one thread)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stay in this process, which has torch already."""

    def call_here(call: Callable[[], object]) -> object:
        return call()

    monkeypatch.setattr(bench, "_in_a_process_of_its_own", call_here)


@pytest.mark.usefixtures("inline")
def test_the_tiny_models_answer_like_upstream_and_are_measured() -> None:
    rows = list(bench.run(("tiny",), ("tiny",), ("float32",), repeats=1, threads=1, device="cpu"))
    assert [(row.model, row.side) for row in rows] == [("tiny", "upstream"), ("tiny", "float32")] * 2
    upstream_sam, sam, upstream_depth, depth = rows
    assert upstream_sam.speedup == upstream_depth.speedup == 1
    assert upstream_sam.relative_error == upstream_depth.relative_error == 0
    assert 0 < sam.relative_error < 0.3  # upstream looks at the padding as well
    assert sam.mask_iou is not None
    assert sam.mask_iou > 0.6
    assert depth.mask_iou is None
    assert depth.relative_error < 1e-3
    for row in rows:
        assert row.seconds > 0
        assert row.peak_mib > 10


def test_error_and_overlap_are_measured_against_upstream() -> None:
    square, empty = np.zeros((2, 4, 4), bool)
    square[:2] = True
    half = square.copy()
    half[0] = False
    upstream = bench._Measured(2.0, 100.0, np.float32([[3, 4]]), np.stack([square, empty]))
    ours = bench._Measured(0.5, 50.0, np.float32([[3, 4.5]]), np.stack([half, empty]))
    row = bench._row("m", "bfloat16", ours, upstream)
    assert row.speedup == 4
    assert row.relative_error == pytest.approx(0.1)
    assert row.mask_iou == pytest.approx((0.5 + 1) / 2)


def test_the_padding_of_upstream_is_left_out_of_the_comparison() -> None:
    whole = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    upstream, ours = (bench._Measured(1.0, 1.0, part, part > 5) for part in (whole, whole[:, :3]))
    row = bench._row("m", "float32", ours, upstream)
    assert (row.relative_error, row.mask_iou) == (0, 1)


def test_the_figures_are_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [
        bench.SpeedRow("m", "upstream", 2.0, 1.0, 100.0, 0.0, 1.0),
        bench.SpeedRow("m", "float32", 1.0, 2.0, 50.0, 1e-6, 0.99),
    ]
    monkeypatch.setattr(models, "run", lambda *_, **__: iter(rows))
    models.bench_models(["m"], [], 3, 1, json=tmp_path / "models.json")
    written = json.loads((tmp_path / "models.json").read_text())
    assert (written["repeats"], written["threads"]) == (3, 1)
    assert [(row["side"], row["seconds"]) for row in written["rows"]] == [("upstream", 2.0), ("float32", 1.0)]
    assert written["machine"]["cores"] > 0
