"""Networks in OpenVINO answer as in torch, and where they cannot, a sentence says what to do."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from streamer.errors import ModelError
from streamer.models.runtime import conversion, devices, openvino
from streamer.models.runtime.openvino import Convertible, OpenVinoNetwork, accelerated, describe_runtime

CPU = torch.device("cpu")

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")


class TwoMaps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 3, 2, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.first(pixels).relu()
        return maps, self.second(maps)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Convertible:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path))
    network = TwoMaps().eval().requires_grad_(False)
    return Convertible("small", network, ((-1, 3, -1, -1),), (torch.zeros(2, 3, 16, 32),))


def in_openvino(network: Convertible, dtype: torch.dtype = torch.float32) -> OpenVinoNetwork:
    faster = accelerated(network, dtype, CPU, "openvino")
    assert faster is not None
    return faster


def test_every_size_and_batch_is_answered_as_torch_does(network: Convertible) -> None:
    faster = in_openvino(network)
    for size in ((1, 3, 40, 64), (2, 3, 64, 32), (1, 3, 40, 64)):
        pixels = torch.randn(size)
        for ours, theirs in zip(faster(pixels), network.network(pixels), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
            assert ours.is_contiguous(memory_format=torch.channels_last)


def test_answers_outlive_the_next_call(network: Convertible) -> None:
    faster, pixels = in_openvino(network), torch.randn(1, 3, 32, 32)
    first = faster(pixels)[0]
    before = first.clone()
    faster(pixels + 1)
    assert torch.equal(first, before)


def test_the_number_of_threads_is_torchs_and_changes_no_bit(
    network: Convertible, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster, pixels = in_openvino(network), torch.randn(1, 3, 64, 64)
    answers = []
    for threads in (1, 2, 1):
        monkeypatch.setattr(openvino, "thread_count", lambda threads=threads: threads)
        answers.append(faster(pixels)[1])
        compiled = faster._request.get_compiled_model()
        assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
        assert not compiled.get_property("ENABLE_CPU_PINNING")
    assert all(torch.equal(one, answers[0]) for one in answers)


@pytest.mark.skipif(not devices.has_fast_bfloat16(), reason="bfloat16 is float32 to OpenVINO on this processor")
def test_it_rounds_as_it_is_told(network: Convertible) -> None:
    pixels = torch.randn(1, 3, 64, 64)
    exact, rough = (in_openvino(network, dtype)(pixels)[1] for dtype in (torch.float32, torch.bfloat16))
    assert 1e-4 < (exact - rough).norm() / exact.norm() < 2e-2


@pytest.mark.parametrize(
    ("device", "compile", "installed", "sentence"),
    [
        ("cuda", False, True, "is for processors, and the models run on cuda: set device=cpu, or runtime=torch"),
        ("cpu", True, True, "leaves nothing for torch to compile: set compile=false, or runtime=torch"),
        ("cpu", False, False, r"needs a library that is not installed: run `uv pip install openvino`"),
    ],
)
def test_where_it_cannot_be(
    network: Convertible,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    compile: bool,
    installed: bool,
    sentence: str,
) -> None:
    if not installed:
        monkeypatch.setattr(openvino, "find_spec", lambda _: None)
    asked = (network, torch.float32, torch.device(device))
    assert accelerated(*asked, "auto", compile) is None
    with pytest.raises(ModelError, match=f"^runtime=openvino {sentence}"):
        accelerated(*asked, "openvino", compile)


def test_nobody_has_it_who_does_not_ask_for_it(network: Convertible) -> None:
    asked = (network, torch.float32, CPU)
    assert accelerated(*asked, "torch") is None
    assert accelerated(*asked, "auto") is None
    assert isinstance(accelerated(*asked, "openvino"), OpenVinoNetwork)
    assert describe_runtime() == "the bundled models run in torch"


def test_a_broken_library_is_one_sentence(network: Convertible, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("\nno such kernel\nat line 3")

    monkeypatch.setattr(conversion, "_convert", fail)
    with pytest.raises(ModelError, match=r"^OpenVINO cannot run small here \(no such kernel\): set runtime=torch"):
        accelerated(network, torch.float32, CPU, "openvino")


def test_nothing_is_reported_to_anybody() -> None:
    openvino.import_openvino()
    from openvino.tools.ovc import telemetry_utils

    assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
