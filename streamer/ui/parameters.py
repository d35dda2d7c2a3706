"""What can be set about the drawing: the section ``overlay`` of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from streamer.data.parameters import Parameters

DepthPlace = Literal["off", "overlay", "inset", "side"]
"""Where depth is drawn: nowhere, over the image, in a corner of it, or beside it (which makes it twice as wide)."""

WantedPlace = Literal["auto", DepthPlace]
"""The same, or left to whether somebody watches."""


def _off(value: object) -> object:
    """YAML reads a bare ``off`` as false."""
    return "off" if value is False else value


class OverlayParameters(Parameters):
    """How results are drawn at first.

    Attributes:
        mask_opacity: Of the fill of masks, from 0 to 1.
        depth: Where depth is drawn; ``auto`` is beside a picture that somebody watches, and in a corner of a video that
            is only written, which would take twice as long to encode.
        depth_opacity: Of depth that is drawn over the image, from 0 to 1.
    """

    mask_opacity: float = Field(default=0.45, ge=0, le=1)
    depth: Annotated[WantedPlace, BeforeValidator(_off)] = "auto"
    depth_opacity: float = Field(default=0.6, ge=0, le=1)
