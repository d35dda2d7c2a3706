"""When to spend a slow model: a pure function of how things stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand on one frame.

    Attributes:
        index: Index of the frame.
        keyframe_index: Frame of the last keyframe that was asked for; None before the first.
        depth_index: Frame of the last depth run that was asked for; None before the first.
        keyframe_ready: Whether the segmenter can take another frame now.
        depth_ready: Whether the depth model can take another frame now.
        in_turns: Whether only one of the two can run at a time.
        objects: Number of objects that are followed or looked for.
        wanted: Why a person (or the start of the run) needs a keyframe now: "prompt", "forced", "discover"; else None.
        trouble: What the tracker is worried about, in a few words; None where all is well.
        scene_cut: Whether this frame shows another scene than the one before.
    """

    index: int
    keyframe_index: int | None = None
    depth_index: int | None = None
    keyframe_ready: bool = True
    depth_ready: bool = True
    in_turns: bool = False
    objects: int = 0
    wanted: str | None = None
    trouble: str | None = None
    scene_cut: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start on this frame: the reason of a keyframe, the reason of a depth run, or None for neither."""

    keyframe: str | None = None
    depth: str | None = None


class Scheduler:
    """Keyframes and depth runs at their intervals, and early on trouble.

    Args:
        keyframe_interval: Frames between two keyframes at most; None means never (masks are left out).
        depth_interval: Frames between two depth runs; None means never (depth is left out).
        min_keyframe_gap: Frames that must lie between a keyframe and one asked for by trouble.
    """

    def __init__(
        self, keyframe_interval: int | None = 10, depth_interval: int | None = 5, min_keyframe_gap: int = 3
    ) -> None:
        self._keyframe_interval = keyframe_interval
        self._depth_interval = depth_interval
        self._min_keyframe_gap = min_keyframe_gap

    def plan(self, now: Situation) -> Plan:
        keyframe, depth = self._keyframe(now), self._depth(now)
        if now.in_turns and keyframe is not None and depth is not None:
            return Plan(depth=depth) if _depth_goes_first(now) else Plan(keyframe=keyframe)
        return Plan(keyframe, depth)

    def foresee(self, now: Situation, indices: Iterable[int]) -> Iterator[Plan]:
        """What `plan` will say about frames to come, if nobody wants anything and nothing happens until then."""
        now = replace(now, wanted=None, trouble=None, scene_cut=False)
        for index in indices:
            now = replace(now, index=index)
            plan = self.plan(now)
            now = replace(
                now,
                keyframe_index=now.keyframe_index if plan.keyframe is None else index,
                depth_index=now.depth_index if plan.depth is None else index,
            )
            yield plan

    def _keyframe(self, now: Situation) -> str | None:
        if self._keyframe_interval is None or not now.keyframe_ready:
            return None
        if now.wanted is not None:
            return now.wanted
        if now.objects == 0:
            return None
        if now.keyframe_index is None:
            return "first"
        since = now.index - now.keyframe_index
        if now.scene_cut:
            return "scene cut"
        if since >= self._keyframe_interval:
            return "interval"
        if now.trouble is not None and since >= self._min_keyframe_gap:
            return now.trouble
        return None

    def _depth(self, now: Situation) -> str | None:
        if self._depth_interval is None or not now.depth_ready:
            return None
        if now.depth_index is None:
            return "first"
        if now.scene_cut:
            return "scene cut"
        if now.index - now.depth_index >= self._depth_interval:
            return "interval"
        return None


def _depth_goes_first(now: Situation) -> bool:
    """Whether it is the turn of depth: of the two, the one that ran longer ago goes first.

    So it is when a person wants something as well: they are answered from the last keyframe meanwhile, and where every
    keyframe takes seconds, someone who keeps clicking would see no depth any more.
    """
    if now.keyframe_index is None:
        return False
    return now.depth_index is None or now.depth_index < now.keyframe_index
