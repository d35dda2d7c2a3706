"""The model calls of a pipeline: what they do, what each one hangs on while it runs, and what it brings back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import Anchor
from streamer.scheduling.workers import Done, Workers

KEYFRAME, CLICK, DEPTH = "keyframe", "click", "depth"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A call under way.

    Attributes:
        anchor: The frame that it is about: what it brings back is carried from there.
        scene: Number of the scene that the frame belongs to.
        carried_depth: ``(h, w)`` float32 inverse depth on that frame as known when it began; None without.
    """

    anchor: Anchor
    scene: int
    carried_depth: NDArray[np.float32] | None = None


class Pending:
    """The jobs under way. Results of an earlier scene, and of jobs that a newer one replaced, are thrown away."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._jobs: dict[Hashable, Job] = {}
        self._keys = self._scene = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def start(
        self, lane: str, call: Callable[[], Any], anchor: Anchor, carried_depth: NDArray[np.float32] | None = None
    ) -> None:
        """Run a call about the frame of an anchor, now or once its lane is free."""
        self._keys += 1
        self._jobs[self._keys] = Job(anchor, self._scene, carried_depth)
        replaced = self._workers.submit(lane, self._keys, call)
        self._jobs.pop(replaced, None)

    def finished(self) -> Iterator[tuple[Done, Job]]:
        """What came back since the last look and is still wanted.

        Raises:
            StreamerError: A model failed.
        """
        for done in self._workers.finished():
            job = self._jobs.pop(done.key, None)
            if done.error is not None:
                raise done.error
            if job is not None and job.scene == self._scene:
                yield done, job

    def start_scene(self) -> None:
        """From here on another scene is shown."""
        self._scene += 1

    def clear(self) -> None:
        """Want nothing any more."""
        self._jobs.clear()
