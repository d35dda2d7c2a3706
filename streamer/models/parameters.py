"""Which models run, and how: the sections ``segmenter`` and ``depth`` of a config."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from streamer.data.parameters import Parameters

Precision = Literal["auto", "float32", "bfloat16", "float16"]


class SegmenterParameters(Parameters):
    """Which segmenter.

    Attributes:
        model: A name that the registry knows, or the path of a checkpoint.
        checkpoint: Weights of that model in another place than the cache.
        precision: What it computes in; ``auto`` takes the fastest that is exact enough on the device.
        compile: Whether code is generated for the encoder at its first use.
    """

    model: str = "tiny"
    checkpoint: Path | None = None
    precision: Precision = "auto"
    compile: bool = False


class DepthParameters(Parameters):
    """Which depth model.

    Attributes:
        model: A name that the registry knows, one of a model hub, or a folder.
        precision: What it computes in; ``auto`` takes the fastest that is exact enough on the device.
        compile: Whether code is generated for the model at its first use.
    """

    model: str = "tiny"
    precision: Precision = "auto"
    compile: bool = False
