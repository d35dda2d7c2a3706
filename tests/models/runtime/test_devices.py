from __future__ import annotations

import pytest
import torch

from streamer.errors import ModelError
from streamer.models.runtime import devices

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, True, "cuda")],
)
def test_auto_takes_the_fastest_device(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.pick_device("auto").type == expected


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:7", "xpu"])
def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match="not available here: use device=auto"):
        devices.pick_device(name)


def test_a_gpu_beyond_the_last_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert devices.pick_device("cuda:0").index == 0
    with pytest.raises(ModelError, match="cuda:1"):
        devices.pick_device("cuda:1")


def test_a_name_that_is_no_device_is_refused() -> None:
    with pytest.raises(ModelError, match="There is no device 'gpu'"):
        devices.pick_device("gpu")


@pytest.mark.parametrize(("fast", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_precision_on_a_cpu(monkeypatch: pytest.MonkeyPatch, fast: bool, expected: torch.dtype) -> None:
    monkeypatch.setattr(devices, "has_fast_bfloat16", lambda: fast)
    assert devices.pick_precision("auto", CPU) is expected


@pytest.mark.parametrize(("capability", "expected"), [((9, 0), torch.bfloat16), ((7, 5), torch.float16)])
def test_auto_precision_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.pick_precision("auto", torch.device("cuda")) is expected


def test_precisions_by_name() -> None:
    assert devices.pick_precision("bfloat16", CPU) is torch.bfloat16
    assert devices.pick_precision("float16", torch.device("cuda")) is torch.float16
    with pytest.raises(ModelError, match="There is no precision 'half'"):
        devices.pick_precision("half", CPU)
    with pytest.raises(ModelError, match="float16 has no benefit"):
        devices.pick_precision("float16", CPU)


def test_threads_and_description() -> None:
    before = torch.get_num_threads()
    try:
        devices.set_threads(1)
        assert devices.describe_device(CPU).startswith("cpu: 1 thread, ")
        devices.set_threads(0)
        assert torch.get_num_threads() == 1
    finally:
        devices.set_threads(before)
