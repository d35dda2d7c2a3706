"""When to spend a slow model: a pure function of how things stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamer.data.reason import Reason
from streamer.stages.protocol import Situation, Stage

Plan = Mapping[str, Reason]
"""What to start on a frame: the names of stages, each with its reason."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand on one frame.

    Attributes:
        index: Of the frame.
        last: Frame that each stage was last asked about, by name; stages that never were are missing.
        ready: Stages that could start now.
        in_turns: Stages of which only one runs at a time.
        scene_cut, held, calm: See `Situation`.
    """

    index: int
    last: Mapping[str, int] = field(default_factory=dict)
    ready: frozenset[str] = frozenset()
    in_turns: frozenset[str] = frozenset()
    scene_cut: bool = False
    held: bool = False
    calm: bool = False

    def situation(self, name: str) -> Situation:
        """The same for one stage."""
        return Situation(self.index, self.last.get(name), self.scene_cut, self.held, self.calm)


def plan(stages: Sequence[Stage], now: Moment) -> Plan:
    """Every stage that is due and can start; of those that take turns, the one that ran longest ago.

    So it is when a person wants something as well: they are answered from the last keyframe meanwhile, and where every
    keyframe takes seconds, someone who keeps clicking would see no depth any more.
    """
    due = {stage.name: stage.due(now.situation(stage.name)) for stage in stages if stage.name in now.ready}
    chosen = {name: reason for name, reason in due.items() if reason is not None}
    turns = [name for name in chosen if name in now.in_turns]
    first = min(turns, key=lambda name: now.last.get(name, -1), default=None)
    return {name: reason for name, reason in chosen.items() if name == first or name not in turns}


def foresee(stages: Sequence[Stage], now: Moment, indices: Iterable[int]) -> Iterator[Plan]:
    """What `plan` will say about frames to come, if nobody says anything and nothing happens until then."""
    now = replace(now, scene_cut=False, held=False, calm=True)
    for index in indices:
        now = replace(now, index=index)
        planned = plan(stages, now)
        now = replace(now, last={**now.last, **dict.fromkeys(planned, index)})
        yield planned
