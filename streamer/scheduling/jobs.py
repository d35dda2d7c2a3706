"""The model calls of a pipeline: what they do, what each one hangs on while it runs, and what it brings back."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.models.protocols import Embedding, Found, Segmenter
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Grid
from streamer.scheduling.workers import Done, Workers
from streamer.tracking.flow_tracker import Answer, Asking, Question, ask

KEYFRAME, CLICK, DEPTH = "keyframe", "click", "depth"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a keyframe brings back.

    Attributes:
        embedding: Of the keyframe, for the clicks to come.
        answers: One for each question.
        found: Objects that nobody asked about.
        timings_ms: Time spent on "encode" and "decode" [ms].
    """

    embedding: Embedding
    answers: list[Answer]
    found: list[Found]
    timings_ms: dict[str, float]


def look(
    segmenter: Segmenter,
    image_rgb: NDArray[np.uint8],
    questions: Sequence[Question],
    limit: int,
    picture: NDArray[np.uint8],
    grid: Grid,
    asking: Asking,
) -> Seen:
    """Let SAM see a keyframe. Runs in a worker, so it touches nothing but its arguments.

    Args:
        segmenter: Used by one thread at a time.
        image_rgb: ``(H, W, 3)`` uint8, RGB.
        questions: About the objects that are followed.
        limit: How many objects to find without being told where; 0 for none.
        picture: ``(h, w, 3)`` uint8, the same on the grid.
        grid: What the masks are kept on.
        asking: How SAM is asked.
    """
    start_s = time.perf_counter()
    embedding = segmenter.encode(image_rgb)
    encoded_s = time.perf_counter()
    found = segmenter.find(embedding, limit) if limit else []
    answers = ask(segmenter, embedding, questions, picture, grid, asking)
    decoded_s = time.perf_counter()
    timings_ms = {"encode": (encoded_s - start_s) * 1000, "decode": (decoded_s - encoded_s) * 1000}
    return Seen(embedding, answers, found, timings_ms)


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
