"""Where the models of an engine compute: how many cores they take, in which threads, and in which turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

from streamer.data.cores import core_count
from streamer.engine.models import Models
from streamer.scheduling.sharing import share_models
from streamer.scheduling.threads import ThreadedWorkers
from streamer.scheduling.turns import Turns
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Stage

_FIRST_FRAME_S = 1.0
"""Longest wait for a first frame before models begin to load without it [s]."""


class ModelThreads:
    """Threads for all runs of one engine, which share the models: of each, one call runs at a time.

    Args:
        schedule: How many cores models take, and how far they step back.
        models: What computes.
        first_out: Set once a first frame has been shown, written or handed over.
    """

    def __init__(self, schedule: ScheduleParameters, models: Models, first_out: Event) -> None:
        self._schedule, self._models, self._first_out = schedule, models, first_out
        self._turns: defaultdict[str, Turns] = defaultdict(Turns)

    def of(self, stages: Sequence[Stage], deferred: bool) -> ThreadedWorkers:
        """Models take turns on a processor, side by side on a CUDA device; who speaks is answered beside them.

        Args:
            stages: Whose models they are.
            deferred: Whether the models are loaded in these threads, behind the frames.
        """
        slow = [stage.name for stage in stages if not stage.immediate]
        workers = ThreadedWorkers(in_turns=slow, step_back=slow, nice=self._schedule.model_nice, turns=self._turns)
        if not deferred:
            self._settle(workers)
        for stage in slow if deferred else ():
            if (load := self._models.loader(stage)) is not None:
                workers.prepare(stage, partial(self._load, load, workers))
        return workers

    def share_with_file(self) -> None:
        """Small models compute beside reading, tracking and writing: half of the cores are enough for them."""
        threads = self._schedule.model_threads or (max(1, core_count() // 2) if self._models.small else None)
        if threads is not None:
            share_models(threads)

    def _load(self, load: Callable[[], object], workers: ThreadedWorkers) -> None:
        """Load a model behind the frame loop, which has taken frames already.

        Importing torch takes the interpreter for seconds: the first frame does not have to wait for it.
        """
        self._first_out.wait(_FIRST_FRAME_S)
        share_models(self._schedule.model_threads)  # before torch counts on all cores
        load()
        _ = self._models.device
        self._settle(workers)

    def _settle(self, workers: ThreadedWorkers) -> None:
        """Arrange what is known only once torch is there."""
        share_models(self._schedule.model_threads)
        if self._models.on_cuda:
            workers.in_turns = ()
