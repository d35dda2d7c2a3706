"""What a person has said and taken away, so that it can be taken back, the last first."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.tracking.parameters import MAX_REMOVED
from streamer.tracking.track_state import TrackState


@dataclass(frozen=True, slots=True, eq=False)
class _Removal:
    state: TrackState
    index: int


class History:
    """Prompts and removals in their order. Removed objects are kept whole; beyond a few, the oldest ones for good."""

    def __init__(self) -> None:
        self._entries: list[int | _Removal] = []

    @property
    def removed(self) -> list[TrackState]:
        """The objects that can be brought back."""
        return [entry.state for entry in self._entries if isinstance(entry, _Removal)]

    def add_prompt(self, object_id: int) -> None:
        """Something has been said about an object."""
        self._entries.append(object_id)

    def add_removal(self, state: TrackState, index: int) -> None:
        """An object has been taken away on the frame of this index."""
        self._entries.append(_Removal(state, index))
        for oldest in self.removed[:-MAX_REMOVED]:
            self._forget(oldest)

    def take_removal(self) -> tuple[TrackState, int] | None:
        """Take back what was done last if it is a removal: the object, and the index of the frame of its removal."""
        last = self._entries[-1] if self._entries else None
        if not isinstance(last, _Removal):
            return None
        self._entries.pop()
        return last.state, last.index

    def take_prompt(self) -> int | None:
        """Take back what was said last: the id of its object; None where nothing was said last."""
        last = self._entries[-1] if self._entries else None
        if not isinstance(last, int):
            return None
        self._entries.pop()
        return last

    def forget_prompts(self, object_id: int) -> None:
        """An object is gone for good: what was said about it cannot be taken back any more."""
        self._entries = [entry for entry in self._entries if entry != object_id]

    def forget_found(self) -> None:
        """Removed objects of which no person has spoken cannot be brought back any more."""
        for state in self.removed:
            if not state.prompts:
                self._forget(state)

    def _forget(self, state: TrackState) -> None:
        """A removed object is gone for good, and with it what was said about it before; its id may be in use again."""
        end = next(at for at, each in enumerate(self._entries) if isinstance(each, _Removal) and each.state is state)
        self._entries = [each for each in self._entries[:end] if each != state.id] + self._entries[end + 1 :]
