"""What is remembered of earlier frames: never more than a few of them, whatever the length of the video."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from streamer.models.protocols import Memory
from streamer.tracking.parameters import MemoryParameters


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """One frame with masks.

    Attributes:
        index: Of the frame.
        memory: What is known of it, of at least one object.
        given: Objects whose mask a person gave or asked for there.
    """

    index: int
    memory: Memory
    given: frozenset[int] = frozenset()

    def without(self, object_id: int) -> Remembered:
        """The same, of all other objects."""
        values = {each: value for each, value in self.memory.values.items() if each != object_id}
        return replace(self, memory=replace(self.memory, values=values), given=self.given - {object_id})


@dataclass(slots=True)
class MemoryBank:
    """For every object its first frame, the newest of those that a person spoke about, and the newest of the others.

    Args:
        parameters: How many of each.
    """

    parameters: MemoryParameters = field(default_factory=MemoryParameters)
    _frames: list[Remembered] = field(default_factory=list)

    @property
    def memories(self) -> tuple[Memory, ...]:
        """All that is remembered, by frame."""
        return tuple(frame.memory for frame in self._frames)

    def __contains__(self, object_id: int) -> bool:
        return any(object_id in frame.memory.values for frame in self._frames)

    def add(self, index: int, memory: Memory, given: Collection[int] = ()) -> None:
        """Remember a frame; a late one finds its place."""
        if not memory.values:
            return
        self._frames = sorted([*self._frames, Remembered(index, memory, frozenset(given))], key=lambda each: each.index)
        for object_id in memory.values:
            self._forget(object_id, self._surplus(object_id))

    def forget_object(self, object_id: int) -> None:
        """Forget everything about an object."""
        self._forget(object_id, self._frames)

    def keep_only(self, object_ids: Collection[int]) -> None:
        """Forget everything about all other objects."""
        known = {each for frame in self._frames for each in frame.memory.values}
        for object_id in known.difference(object_ids):
            self.forget_object(object_id)

    def forget_recent(self, object_id: int) -> None:
        """Forget how an object looked where no person spoke of it: what was corrected is not to be repeated."""
        self._forget(object_id, [frame for frame in self._frames if object_id not in frame.given])

    def _surplus(self, object_id: int) -> list[Remembered]:
        known = [frame for frame in self._frames if object_id in frame.memory.values]
        given = [frame for frame in known if object_id in frame.given]
        others = [frame for frame in known if object_id not in frame.given]
        return (
            given[1 : max(1, len(given) - self.parameters.given + 1)]
            + others[: max(0, len(others) - self.parameters.recent)]
        )

    def _forget(self, object_id: int, frames: Collection[Remembered]) -> None:
        kept = (frame.without(object_id) if frame in frames else frame for frame in self._frames)
        self._frames = [frame for frame in kept if frame.memory.values]
