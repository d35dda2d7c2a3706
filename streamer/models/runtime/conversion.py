"""A network as OpenVINO runs it, made from torch's once and kept in the cache."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from streamer.models.runtime.devices import instruction_sets, thread_count
from streamer.models.runtime.openvino import (
    PRECISION_HINTS,
    Convertible,
    channels_first,
    channels_last,
    import_openvino,
    properties,
)
from streamer.models.weights.cache import cache_folder

KEPT = 4
"""Files of one network: of other processors and of other versions, the newest ones."""
_HEADER_BYTES = 64  # a digest of 32, and room up to where the processor likes things to begin
_SUFFIX = ".compiled"

Blob = NDArray[np.uint8]


def converted(network: Convertible, dtype: torch.dtype) -> Blob:
    """The network compiled for this processor: what `openvino.Core.import_model` takes.

    Always what is exported to be imported again, which in bfloat16 rounds otherwise than what has just been compiled. A
    cache that is damaged or cannot be written costs a second, and is not told.
    """
    path = cache_folder() / "openvino" / f"{network.name}-{_key(network, dtype)}{_SUFFIX}"
    kept = _read(path)
    if kept is not None:
        return kept
    compiled = _convert(network, dtype)
    with contextlib.suppress(OSError):
        _write(path, compiled)
        _forget_oldest(path.parent, network.name)
    return compiled


class _ChannelsLast(nn.Module):
    """Maps go in and out as OpenVINO has them inside, and torch's convolutions like them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(*(channels_first(one) for one in inputs))
        return tuple(channels_last(one) for one in ((outputs,) if isinstance(outputs, Tensor) else outputs))


def _convert(network: Convertible, dtype: torch.dtype) -> Blob:
    openvino = import_openvino()
    examples = tuple(channels_last(one).contiguous() for one in network.examples)
    shapes = [openvino.PartialShape([shape[0], *shape[2:], shape[1]]) for shape in network.shapes]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of every length that becomes a constant: those of the batch, which is one
        # By itself OpenVINO has torch check what was traced, which takes three times as long as all the rest.
        traced = torch.jit.trace(_ChannelsLast(network.network).eval(), examples, check_trace=False)
        model = openvino.convert_model(traced, example_input=examples, input=shapes)
    compiled = openvino.Core().compile_model(model, "CPU", properties(dtype, thread_count()))
    return np.frombuffer(bytearray(compiled.export_model().getvalue()), np.uint8)


def _key(network: Convertible, dtype: torch.dtype) -> str:
    """Of everything that what is compiled depends on."""
    versions = (torch.__version__, import_openvino().__version__, instruction_sets())
    key = hashlib.sha256(repr((_sources(), versions, network.shapes, PRECISION_HINTS[dtype])).encode())
    for name, value in network.network.state_dict().items():
        key.update(f"{name} {tuple(value.shape)}".encode())
        key.update(value.contiguous().numpy())
    return key.hexdigest()[:32]


@functools.cache
def _sources() -> str:
    """Of the code that networks are made of, whose version does not change with every change."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> Blob | None:
    """What is kept there; None where that is nothing, or not what was written."""
    try:
        file = np.memmap(path, np.uint8, "c")
    except (OSError, ValueError):
        return None
    compiled = file[_HEADER_BYTES:]
    return compiled if bytes(file[:_HEADER_BYTES]) == _header(compiled) else None


def _write(path: Path, compiled: Blob) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(path) as part:
        part.write_bytes(_header(compiled) + compiled.tobytes())


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file of its own for each program that writes at the same time, which takes the path once it is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _header(compiled: Blob) -> bytes:
    return hashlib.sha256(compiled.data).digest().ljust(_HEADER_BYTES, b"\0")


def _forget_oldest(folder: Path, name: str) -> None:
    kept = sorted(folder.glob(f"{name}-*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
    for path in kept[:-KEPT]:
        path.unlink(missing_ok=True)
