"""Interim."""

from __future__ import annotations

from pydantic import Field

from streamer.data.parameters import Parameters


class TrackingParameters(Parameters):
    max_objects: int = Field(default=5, ge=0)
    positives: int = Field(default=8, ge=0)
    negatives: int = Field(default=4, ge=0)
    use_box: bool = True
    use_mask: bool = False
    passes: int = Field(default=2, ge=1)
    agreement: float = Field(default=0.7, ge=0)
    stability: float = Field(default=0.2, ge=0)
    motion: float = Field(default=0.2, ge=0)
    accept: float = Field(default=0.1, ge=0, le=1)
    reject: float = Field(default=0.02, ge=0, le=1)
    drift: float = Field(default=0.035, ge=0, lt=1)
    refine: bool = True
    redetect: bool = True
    glimpse: bool = True
    likeness: float = Field(default=0.8, ge=-1, le=1)
    confirmations: int = Field(default=2, ge=1)
    trouble: bool = True
