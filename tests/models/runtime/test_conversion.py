"""What is converted is kept: found again, told from what is damaged or of another network, and not needed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from streamer.models.runtime import conversion
from streamer.models.runtime.conversion import converted
from streamer.models.runtime.openvino import Convertible, OpenVinoNetwork

PIXELS = torch.rand(1, 3, 32, 48)

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")


def small(network: nn.Module, shape: tuple[int, ...] = (1, 3, -1, -1), name: str = "small") -> Convertible:
    return Convertible(name, network, (shape,), (PIXELS,))


@pytest.fixture
def network() -> nn.Module:
    return nn.Conv2d(3, 4, 3).eval()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path))
    return tmp_path / "openvino"


def answer(network: nn.Module) -> bytes:
    compiled = converted(small(network), torch.float32)
    return OpenVinoNetwork(compiled, torch.float32)(PIXELS)[0].numpy().tobytes()


def test_it_is_converted_once(network: nn.Module, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = answer(network)
    assert [path.name.split("-")[0] for path in folder.iterdir()] == ["small"]
    monkeypatch.setattr(conversion, "_convert", None)
    assert answer(network) == first


def test_what_is_damaged_is_written_anew(network: nn.Module, folder: Path) -> None:
    first = answer(network)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:40], whole[:-9], whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]):
        path.write_bytes(damaged)
        assert answer(network) == first
        assert conversion._read(path) is not None


def test_a_cache_that_may_not_be_written_is_not_needed(
    network: nn.Module, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answer(network)
    (tmp_path / "file").touch()
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "file" / "cache"))
    assert answer(network) == first


def test_nothing_is_left_of_what_could_not_be_written_whole(
    network: nn.Module, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    answer(network)
    assert list(folder.iterdir()) == []


def test_other_weights_other_formats_and_other_processors_are_something_else(
    network: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [conversion._key(small(network), dtype) for dtype in (torch.float32, torch.bfloat16)]
    keys += [conversion._key(small(network, (1, 3, 32, 48)), torch.float32)]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(conversion, "instruction_sets", lambda: "AVX1024")
        keys += [conversion._key(small(network), torch.float32)]
    with torch.no_grad():
        network.weight[0, 0, 0, 0] += 1
    keys += [conversion._key(small(network), torch.float32)]
    assert len(set(keys)) == len(keys)


def test_the_newest_files_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_convert", lambda *_: np.zeros(8, np.uint8))
    for _ in range(conversion.KEPT + 2):
        converted(small(nn.Conv2d(3, 1, 1)), torch.float32)
    converted(small(nn.Conv2d(3, 1, 1), name="other"), torch.float32)
    assert len(list(folder.glob("small-*"))) == conversion.KEPT
    assert len(list(folder.glob("other-*"))) == 1
