"""The composition root: turns a Config into models, pipelines and runs, and shuts them down."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2

from streamer import config as configuration
from streamer.config import Config
from streamer.data.frame import Frame
from streamer.data.prompt import Prompt, check_inside
from streamer.data.result import Result
from streamer.data.source import Source, SourceInfo
from streamer.depth.propagation import DepthCarrier
from streamer.errors import PromptError
from streamer.models.protocols import DepthEstimator, Segmenter
from streamer.motion.motion import Motion
from streamer.pipeline import CLICK, DEPTH, KEYFRAME, Pipeline
from streamer.scheduling.prefetch import REACH, LookAhead, batch_that_fits, reach_of
from streamer.scheduling.scheduler import Scheduler
from streamer.scheduling.workers import InlineWorkers, ThreadedWorkers, Workers, step_back
from streamer.sources.open import open_source
from streamer.sources.reader import Reader
from streamer.terminal.telemetry import Meter
from streamer.tracking.flow_tracker import FlowTracker
from streamer.tracking.parameters import TrackingParameters

Spec = str | int | Path | Iterable[Any]

_SWITCH_INTERVAL_S = 0.001
"""The frame loop asks for the interpreter after every call of OpenCV; by default it waits up to 5 ms for it."""
_STILL_SIDE_PX = 1280
"""The working grid of a picture that nothing has to be carried to."""


@dataclass(frozen=True, slots=True)
class Run:
    """One source on its way through one pipeline.

    Attributes:
        reader: Where the frames come from.
        pipeline: Where they go.
        meter: What is counted on the way.
        ahead: Begins early what the pipeline will ask its models for; None begins nothing.
    """

    reader: Reader
    pipeline: Pipeline
    meter: Meter
    ahead: LookAhead | None = None

    @property
    def info(self) -> SourceInfo:
        return self.reader.info

    def summary(self) -> dict[str, Any]:
        """The meter's figures with what the reader read and dropped, ready for JSON; see :meth:`Meter.summary`."""
        return self.meter.summary(self.reader.frames_read, self.reader.drops)

    def process(self, frame: Frame) -> Result:
        """Move on to the next frame of the reader; see :meth:`Pipeline.process`."""
        if self.ahead is not None:
            self.ahead.foresee(self.pipeline.foresee([frame, *self.reader.waiting]))
        return self.pipeline.process(frame)

    def __iter__(self) -> Iterator[Result]:
        """Every frame of the source, with all that is known of it."""
        for frame in self.reader:
            result = self.process(frame)
            self.meter.add(result, time.monotonic())
            yield result


class Engine:
    """The models of one config, loaded once, and the pipelines that use them.

    They are loaded when they are first needed, or by :meth:`load`. Use it in a ``with`` block, or call :meth:`close`.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._pipelines: list[Pipeline] = []

    @cached_property
    def device(self) -> str:
        """What the models run on, for people.

        Raises:
            ModelError: There is no such device here.
        """
        from streamer.models.runtime import devices

        return devices.describe_device(devices.pick_device(self.config.device))

    @cached_property
    def segmenter(self) -> Segmenter | None:
        """The segmenter; None where the config leaves masks out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        from streamer.models import registry

        wanted, device = self.config.segmenter, self.config.device
        if wanted is None:
            return None
        return registry.load_segmenter(wanted.model, wanted.checkpoint, device, wanted.precision, wanted.compile)

    @cached_property
    def depth_estimator(self) -> DepthEstimator | None:
        """The depth model; None where the config leaves depth out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        from streamer.models import registry

        wanted, device = self.config.depth, self.config.device
        return None if wanted is None else registry.load_depth(wanted.model, device, wanted.precision, wanted.compile)

    def load(self) -> Self:
        """Load the models now.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        _ = self.device, self.segmenter, self.depth_estimator
        return self

    def pipeline(
        self,
        live: bool = False,
        tracking: TrackingParameters | None = None,
        ahead: LookAhead | None = None,
        workers: Workers | None = None,
        still: bool = False,
    ) -> Pipeline:
        """A fresh pipeline. Live ones run the models in threads; others run them at once, always the same way.

        Args:
            live: Which of the two.
            tracking: Instead of the config's own.
            ahead: Has the models that it is to use, instead of the engine's own.
            workers: Run them, instead of what ``live`` asks for.
            still: There will be one frame: its masks may be finer, since they need not keep up with anything.
        """
        schedule, flow, tracking = self.config.schedule, self.config.flow, tracking or self.config.tracking
        segmenter: Segmenter | None = ahead.segmenter if ahead else self.segmenter
        pipeline = Pipeline(
            None if segmenter is None else FlowTracker(segmenter, tracking),
            ahead.depth_estimator if ahead else self.depth_estimator,
            Scheduler(
                schedule.keyframe_interval if self.segmenter else None,
                schedule.depth_interval if self.depth_estimator else None,
                schedule.min_keyframe_gap,
            ),
            workers or (self._threads() if live else InlineWorkers()),
            Motion(flow.at_least(_STILL_SIDE_PX) if still else flow),
            DepthCarrier(),
            max_objects=tracking.max_objects,
        )
        self._pipelines.append(pipeline)
        return pipeline

    def _look_ahead(self, frame_size: tuple[int, int]) -> tuple[LookAhead, int]:
        """A look-ahead for frames of this size, and how many of them it has to know."""
        from streamer.models.runtime import devices

        interval, batch_size = self.config.schedule.keyframe_interval, 1
        compiled = self.config.segmenter is not None and self.config.segmenter.compile
        if devices.pick_device(self.config.device).type == "cuda" and not compiled:
            batch_size = batch_that_fits(interval, frame_size)
        # A result may depend on the number of threads in its last bit.
        same_threads = partial(devices.set_threads, devices.thread_count())
        ahead = LookAhead(self.segmenter, self.depth_estimator, batch_size, same_threads)
        return ahead, reach_of(interval, batch_size)

    def _threads(self) -> ThreadedWorkers:
        """Models take turns on a processor, and run side by side on a CUDA device."""
        from streamer.models.runtime import devices

        beside = devices.pick_device(self.config.device).type == "cuda"
        return ThreadedWorkers(in_turns=() if beside else (KEYFRAME, DEPTH), prepare=_step_back_unless_clicked)

    @contextmanager
    def open(
        self,
        source: Spec,
        prompts: Prompt | Sequence[Prompt] = (),
        live: bool = False,
        check: Callable[[SourceInfo], object] | None = None,
        **source_options: Any,
    ) -> Iterator[Run]:
        """Open a source, load the models if they are not, and begin to read.

        Args:
            source: Path, camera index, URL, folder, pattern, ``scene``, or iterable of ``(H, W, 3)`` uint8 RGB arrays.
            prompts: What to follow, said about the first frame. Without any, objects are looked for.
            live: Keep up with the source and drop frames rather than wait; files then play at their own rate.
            check: Told what the source is before anything slow begins; may raise.
            source_options: For :func:`streamer.sources.open`.

        Raises:
            SourceError: It cannot be opened.
            PromptError: A prompt does not lie on its frames, or masks are left out.
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        prompts = [prompts] if isinstance(prompts, Prompt) else prompts
        if prompts and self.config.segmenter is None:
            raise PromptError("Masks are left out, so nothing can be followed: let them in, or say nothing to follow.")

        def reopen() -> Source:
            return open_source(source, live=live, **source_options)

        opened, ahead, reach = reopen(), None, REACH
        try:
            check_inside(prompts, opened.info.size)
            if check is not None:
                check(opened.info)
            if self.config.schedule.look_ahead and not live:
                ahead, reach = self._look_ahead(opened.info.size)
            pipeline = self.pipeline(live, ahead=ahead, still=opened.info.is_alone)
        except BaseException:
            opened.close()
            raise
        if prompts:
            for prompt in prompts:
                pipeline.prompt(prompt)
        elif self.segmenter is not None and self.config.tracking.max_objects > 0:
            pipeline.discover()
        lasting: Callable[[], Source] | None = reopen if opened.info.live and opened.info.path is None else None
        try:
            sharing = _sharing_processor() if live else nullcontext()
            with sharing, Reader(opened, live, reach, reopen=lasting) as reader:
                yield Run(reader, pipeline, Meter(self.device), ahead)
        finally:
            if ahead is not None:
                ahead.close()
            self._pipelines.remove(pipeline)
            pipeline.close()

    def run(
        self, source: Spec, prompts: Prompt | Sequence[Prompt] = (), live: bool = False, **options: Any
    ) -> Iterator[Result]:
        """Results for every frame of a source; see :meth:`open` for the arguments.

        Raises:
            SourceError: It cannot be opened or read.
            PromptError: A prompt does not lie on the first frame.
        """
        with self.open(source, prompts, live, **options) as run:
            yield from run

    def close(self) -> None:
        """Stop every worker. May be called twice."""
        for pipeline in self._pipelines:
            pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _step_back_unless_clicked(lane: str) -> None:
    if lane != CLICK:
        step_back()


@contextmanager
def _sharing_processor() -> Iterator[None]:
    """Leave the frame loop a core of its own, and the interpreter whenever it asks."""
    from streamer.models.runtime import devices

    cores = devices.core_count()
    threads, cv2_threads, interval_s = devices.thread_count(), cv2.getNumThreads(), sys.getswitchinterval()
    devices.set_threads(min(threads, cores - 1))
    cv2.setNumThreads(max(1, cores // 2))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        devices.set_threads(threads)
        cv2.setNumThreads(cv2_threads)
        sys.setswitchinterval(interval_s)


def load(config: str | Path | Config = "tiny", overrides: str | Sequence[str] = ()) -> Engine:
    """Load the models of a preset, a YAML file or a Config.

    Args:
        config: Name of a preset, path of a YAML file, or a Config.
        overrides: ``section.key=value`` entries that replace those of the preset.

    Raises:
        ConfigError: No such preset, key or value.
        ModelError: Weights are missing or damaged.
    """
    if not isinstance(config, Config):
        config = configuration.load(config, overrides)
    return Engine(config).load()
