"""What slow models do live, the same way every time: for evaluations and tests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from streamer.scheduling.workers import Done, InlineWorkers, LaneState


class LateWorkers(InlineWorkers):
    """Hands some lanes' results over late by a number of steps: what slow models do live, the same way every time.

    Args:
        late: How many steps, by lane; the results of other lanes come at once.
    """

    def __init__(self, late: Mapping[str, int]) -> None:
        super().__init__()
        self._late, self._steps = late, 0
        self._under_way: dict[str, tuple[int, Done]] = {}

    def step(self) -> None:
        """Another frame has come."""
        self._steps += 1

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        super().submit(lane, key, call)
        if lane in self._late:
            self._under_way[lane] = self._steps + self._late[lane], self._done.pop()
        return None

    def ready(self, lane: str) -> bool:
        return lane not in self._under_way

    def state(self, lane: str) -> LaneState:
        return "idle" if self.ready(lane) else "busy"

    def finished(self) -> list[Done]:
        due = [lane for lane, (step, _) in self._under_way.items() if step <= self._steps]
        return super().finished() + [self._under_way.pop(lane)[1] for lane in due]
