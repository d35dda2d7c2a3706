"""Small networks through OpenVINO on a processor: what torch computes, sooner, and without threads that spin."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from streamer.errors import ModelError
from streamer.models.runtime.devices import thread_count

TORCH, OPENVINO = "torch", "openvino"
PRECISION_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}


@dataclass(frozen=True, slots=True, eq=False)
class Convertible:
    """A network that can be converted.

    Attributes:
        name: What to call it in the cache.
        network: Float32 on the CPU, in evaluation mode; from tensors to one tensor or several.
        shapes: Of its inputs, -1 for what differs from call to call. Where the batch does, it does for all: images that
            are broadcast within the network come out wrong of OpenVINO 2026.4.
        examples: Inputs of such shapes.
    """

    name: str
    network: nn.Module
    shapes: tuple[tuple[int, ...], ...]
    examples: tuple[Tensor, ...]


class OpenVinoNetwork:
    """A compiled network on the processor. One call at a time runs, on as many cores as torch would take.

    Args:
        compiled: As `streamer.models.runtime.conversion.converted` gives it.
        dtype: Number format that it computes in; what goes in and comes out is float32.
    """

    def __init__(self, compiled: NDArray[np.uint8], dtype: torch.dtype) -> None:
        self._compiled, self._dtype = compiled, dtype
        self._lock, self._threads = Lock(), thread_count()
        self._request = self._new_request()

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        """What the network makes of float32 inputs; maps ``(N, C, h, w)`` come, and best go, with channels last."""
        arrays = [channels_last(one).contiguous().numpy() for one in inputs]
        with self._lock:
            if self._threads != thread_count():
                self._threads = thread_count()
                self._request = self._new_request()
            self._request.infer(arrays, share_inputs=True)
            outputs = [torch.from_numpy(output.data.copy()) for output in self._request.output_tensors]
        return [channels_first(output) for output in outputs]

    def _new_request(self) -> Any:
        openvino = import_openvino()
        compiled = openvino.Tensor(self._compiled, shared_memory=True)
        network = openvino.Core().import_model(compiled, "CPU", properties(self._dtype, self._threads))
        return network.create_infer_request()


def channels_last(tensor: Tensor) -> Tensor:
    """Maps ``(N, C, h, w)`` as ``(N, h, w, C)``, anything else as it is."""
    return tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor


def channels_first(tensor: Tensor) -> Tensor:
    """Maps ``(N, h, w, C)`` as ``(N, C, h, w)``, anything else as it is."""
    return tensor.permute(0, 3, 1, 2) if tensor.dim() == 4 else tensor


def properties(dtype: torch.dtype, threads: int) -> dict[str, Any]:
    """How OpenVINO is to compute. By itself it rounds to bfloat16 where it can, and binds threads to cores."""
    return {
        "INFERENCE_PRECISION_HINT": PRECISION_HINTS[dtype],
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }


def accelerated(
    network: Convertible, dtype: torch.dtype, device: torch.device, runtime: str, compile: bool = False
) -> OpenVinoNetwork | None:
    """A network in OpenVINO, or None where it is to stay in torch.

    Args:
        network: Which one.
        dtype: Number format to compute in.
        device: Where it is to run.
        runtime: ``openvino``; ``torch`` and ``auto`` leave it in torch.
        compile: Whether torch is to generate code for it.

    Raises:
        ModelError: ``runtime`` is ``openvino``, and that cannot be.
    """
    # Python with this library's plugin was seen to end in a segmentation fault, among others after a signal; until that
    # is understood nobody gets it without asking for it.
    if runtime != OPENVINO:
        return None
    obstacle = _obstacle(device, compile)
    if obstacle is not None:
        raise ModelError(f"runtime=openvino {obstacle}")
    from streamer.models.runtime.conversion import converted

    try:
        return OpenVinoNetwork(converted(network, dtype), dtype)
    except Exception as error:  # of a library that may be broken in its own ways
        raise ModelError(
            f"OpenVINO cannot run {network.name} here ({_first_line(error)}): set runtime=torch."
        ) from error


def describe_runtime() -> str:
    """One sentence for people: what the bundled models run through unless a config says otherwise."""
    return "the bundled models run in torch"


def import_openvino() -> Any:
    """The package, kept from reporting to its makers that it was imported and what it converts.

    Raises:
        ImportError: It is not installed, or broken.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _obstacle(device: torch.device, compile: bool) -> str | None:
    """Why it cannot be, as the end of a sentence."""
    if device.type != "cpu":
        return f"is for processors, and the models run on {device}: set device=cpu, or runtime=torch."
    if compile:
        return "leaves nothing for torch to compile: set compile=false, or runtime=torch."
    if find_spec(OPENVINO) is None:
        return "needs a library that is not installed: run `uv pip install openvino`."
    return None


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
