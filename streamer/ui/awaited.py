"""What a person is waiting for, in a few words."""

from __future__ import annotations

from collections.abc import Mapping

from streamer.data.reason import Reason
from streamer.data.result import Result

STARVING_S = 10.0
"""Without any answer, from which that is said rather than what is waited for [s]: no bundled model takes so long."""


def awaited(result: Result, queues: Mapping[str, str], reasons: Mapping[str, str], silent_s: float) -> str:
    """What is not there yet, and why; empty where everything is.

    Args:
        result: What is shown.
        queues: What each slow model does: "busy", "waiting", "idle" or "loading", by the name of its stage.
        reasons: Why each was asked last.
        silent_s: Time since the last answer of any model [s].
    """
    if "loading" in queues.values():
        return "loading models"
    at_work = [name for name, state in queues.items() if state != "idle"]
    if at_work and silent_s >= STARVING_S:
        return f"models starve: {silent_s:.0f} s since the last answer"
    if "masks" in queues and all(track.box_xyxy is None for track in result.tracks):
        if "masks" in at_work and reasons.get("masks") == Reason.DISCOVER:
            return "looking for objects"
        if "masks" in at_work:
            return "looking at this frame"
        if not result.tracks:
            return "nothing is followed: click on something"
    if "depth" in queues and result.depth_map is None:
        return "estimating depth"
    return ""
