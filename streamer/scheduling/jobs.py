"""The jobs under way: which frame each is about, and which of their answers are still wanted."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from streamer.motion.anchors import Anchor
from streamer.scheduling.workers import Done, Workers
from streamer.stages.protocol import Job


@dataclass(frozen=True, slots=True, eq=False)
class _UnderWay:
    anchor: Anchor
    scene: int


class Pending:
    """The jobs under way. Answers of an earlier scene, and of jobs that a newer one replaced, are thrown away."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._jobs: dict[Hashable, _UnderWay] = {}
        self._keys = self._scene = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def start(self, stage: str, job: Job) -> None:
        """Run a stage's job, now or once its lane is free."""
        self._keys += 1
        self._jobs[self._keys] = _UnderWay(job.anchor, self._scene)
        replaced = self._workers.submit(stage, self._keys, job.call)
        self._jobs.pop(replaced, None)

    def finished(self) -> Iterator[tuple[Done, Anchor]]:
        """What came back since the last look and is still wanted, with the frame that it is about.

        Raises:
            StreamerError: A model failed.
        """
        for done in self._workers.finished():
            job = self._jobs.pop(done.key, None)
            if done.error is not None:
                raise done.error
            if job is not None and job.scene == self._scene:
                yield done, job.anchor

    def start_scene(self) -> None:
        """From here on another scene is shown."""
        self._scene += 1

    def clear(self) -> None:
        """Want nothing any more."""
        self._jobs.clear()
