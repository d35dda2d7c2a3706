"""What can be set about the drawing: the section ``overlay`` of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from streamer.data.parameters import Parameters

DepthPlace = Literal["off", "overlay", "side"]
"""Where depth is drawn: nowhere, over the image, or beside it (the drawing is then twice as wide)."""


def _off(value: object) -> object:
    """YAML reads a bare ``off`` as false."""
    return "off" if value is False else value


class OverlayParameters(Parameters):
    """How results are drawn at first.

    Attributes:
        mask_opacity: Of the fill of masks, from 0 to 1.
        depth: Where depth is drawn.
        depth_opacity: Of depth that is drawn over the image, from 0 to 1.
    """

    mask_opacity: float = Field(default=0.45, ge=0, le=1)
    depth: Annotated[DepthPlace, BeforeValidator(_off)] = "side"
    depth_opacity: float = Field(default=0.6, ge=0, le=1)
