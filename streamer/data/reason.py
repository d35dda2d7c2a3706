"""Why a slow model is asked on a frame."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What made a stage due; the value is the word that people read."""

    FIRST = "first"
    INTERVAL = "interval"
    SCENE_CUT = "scene cut"
    PROMPT = "prompt"
    FORCED = "forced"
    DISCOVER = "discover"
    HELD = "held"
    POINTS_LOST = "points lost"
    AREA_JUMP = "area jump"
    LOOKS_DIFFERENT = "looks different"
