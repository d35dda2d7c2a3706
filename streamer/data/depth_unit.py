"""What the numbers of a depth map mean."""

from __future__ import annotations

from enum import StrEnum


class DepthUnit(StrEnum):
    """Unit of depth; the value is what outputs write.

    A relative map holds inverse depth up to one scale and shift per clip. A metric one holds exact 1/m, so that it can
    be carried, compared and colored like the other, and is given out in meters.
    """

    RELATIVE = "relative"
    METERS = "m"
