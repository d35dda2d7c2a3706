"""Which models run, and how: the sections ``segmenter``, ``depth`` and ``detector`` of a config."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

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


class DetectorParameters(Parameters):
    """Which detector finds what is said in words.

    Attributes:
        model: A name that the registry knows, one of a model hub, or a folder.
        min_score: Below which a detection does not count, 0 to 1; None leaves it to the detector.
        precision: What it computes in; ``auto`` takes the fastest that is exact enough on the device.
    """

    model: str = "tiny"
    min_score: float | None = Field(default=None, ge=0, le=1)
    precision: Precision = "auto"
