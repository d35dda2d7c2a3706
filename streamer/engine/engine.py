"""One config brought to life: its models, and the pipelines and runs that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streamer import config as configuration
from streamer.config import Config
from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.data.source import Pausable, Source, SourceInfo
from streamer.depth.ground import Ground
from streamer.engine.models import Models
from streamer.engine.opening import checked_prompts, opened_source
from streamer.engine.run import Run
from streamer.geometry.known_camera import KnownCamera
from streamer.models.protocols import DepthEstimator, Detector, RememberingSegmenter, Segmenter
from streamer.motion.motion import Motion
from streamer.pipeline import Pipeline
from streamer.scheduling.prefetch import Prefetch, batch_that_fits, reach_of
from streamer.scheduling.sharing import sharing_processor
from streamer.scheduling.threads import ThreadedWorkers
from streamer.scheduling.workers import InlineWorkers, Workers
from streamer.sources.open import open_source
from streamer.sources.reader import Reader
from streamer.stages.depth import DepthStage
from streamer.stages.detections import DetectionsStage
from streamer.stages.masks import ClicksStage, MasksStage
from streamer.stages.protocol import Prompted, Stage
from streamer.terminal.telemetry import Meter
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.registry import build_tracker

Spec = str | int | Path | Iterable[Any]

Meanwhile = Callable[[Reader, Callable[[float], bool]], None]
"""Given the reader, which reads already where frames come by themselves, and what waits so long [s] for the models."""

_STILL_SIDE_PX = 1280
"""The working grid of an image that nothing has to be carried to."""


class Engine:
    """The models of one config, loaded once, and the pipelines that use them.

    They are loaded when they are first needed, or by :meth:`load`. Use it in a ``with`` block, or call :meth:`close`.

    Args:
        config: What to build.
        segmenter, depth_estimator, detector: Models of one's own, used instead of the config's where it does not leave
            their kind out.
    """

    def __init__(
        self,
        config: Config,
        segmenter: Segmenter | None = None,
        depth_estimator: DepthEstimator | None = None,
        detector: Detector | None = None,
    ) -> None:
        self.config = config
        self._models = Models(config, segmenter, depth_estimator, detector)
        self._pipelines: list[Pipeline] = []
        self._readers: dict[Pipeline, Reader] = {}

    @property
    def device(self) -> str:
        """What the models run on, for people."""
        return self._models.device

    @property
    def segmenter(self) -> RememberingSegmenter | None:
        """The segmenter, loaded at the first use; None where the config leaves masks out."""
        return self._models.segmenter

    @property
    def depth_estimator(self) -> DepthEstimator | None:
        """The depth model, loaded at the first use; None where the config leaves depth out."""
        return self._models.depth_estimator

    def load(self) -> Self:
        """Load the models now.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        self._models.load()
        return self

    def pipeline(
        self,
        live: bool = False,
        tracking: TrackingParameters | None = None,
        workers: Workers | None = None,
        still: bool = False,
        camera: KnownCamera | None = None,
    ) -> Pipeline:
        """A fresh pipeline. Live ones run the models in threads; others run them at once, always the same way.

        Args:
            live: Which of the two.
            tracking: Instead of the config's own.
            workers: Run the models, instead of what ``live`` asks for.
            still: There will be one frame: its masks may be finer, since they need not keep up with anything.
            camera: What is known of the camera; None leaves it to the config.

        Raises:
            ConfigError: The camera's intrinsics cannot be read.
        """
        camera = camera or KnownCamera(self.config.camera)
        stages, prompted, depth = self._stages(tracking or self.config.tracking, camera, live)
        flow = self.config.flow
        pipeline = Pipeline(
            stages,
            workers or (self._threads(stages) if live else InlineWorkers()),
            Motion(flow.at_least(_STILL_SIDE_PX) if still else flow),
            prompted,
            camera,
            depth,
        )
        self._pipelines.append(pipeline)
        return pipeline

    def _stages(
        self, tracking: TrackingParameters, camera: KnownCamera, live: bool
    ) -> tuple[list[Stage], Prompted | None, DepthStage | None]:
        """Every slow kind of model that the config lets in, the one that a person can speak to, and the depth."""
        schedule, segmenter, estimator = self.config.schedule, self.segmenter, self.depth_estimator
        depth = None
        if estimator is not None:
            ground = Ground.of(self.config.camera)
            depth = DepthStage(estimator.estimate, schedule, estimator.unit, camera, ground)
        if segmenter is None:
            return ([] if depth is None else [depth]), None, depth
        tracker = build_tracker(segmenter, tracking)
        masks = MasksStage(tracker, schedule, tracking.max_objects, depth)
        stages: list[Stage] = [masks, ClicksStage(tracker)]
        if depth is not None:
            stages.append(depth)
        if live or self.config.text is not None:  # live, a person may say something at any time
            stages.append(self._detections(masks))
        return stages, masks, depth

    def _detections(self, masks: MasksStage) -> DetectionsStage:
        """After the stage of the masks, since it compares what it finds with what is followed on the same frame."""
        read = self._models.phrases_of
        detections = DetectionsStage(lambda: self._models.detector, masks, self.config.schedule, read)
        if self.config.text is not None:
            detections.look_for(self.config.text)
        return detections

    def _batch_size(self, frame_size: tuple[int, int]) -> int:
        """How many keyframes of that (width, height) are worth encoding together."""
        compiled = self.config.segmenter is not None and self.config.segmenter.compile
        if not self.config.schedule.prefetch or compiled or not self._models.on_cuda:
            return 1
        return batch_that_fits(self.config.schedule.keyframe_interval, frame_size)

    def _threads(self, stages: Sequence[Stage]) -> ThreadedWorkers:
        """Models take turns on a processor, side by side on a CUDA device; who speaks is answered beside them."""
        slow = [stage.name for stage in stages if not stage.immediate]
        return ThreadedWorkers(in_turns=() if self._models.on_cuda else slow, step_back=slow)

    @contextmanager
    def open(
        self,
        source: Spec,
        prompts: Prompt | Sequence[Prompt] = (),
        live: bool = False,
        check: Callable[[SourceInfo], object] | None = None,
        known_depths: KnownDepths | None = None,
        meanwhile: Meanwhile | None = None,
        **source_options: Any,
    ) -> Iterator[Run]:
        """Open a source, load the models if they are not, and begin to read.

        Args:
            source: Path, camera index, URL, folder, pattern, ``scene``, or iterable of ``(H, W, 3)`` uint8 RGB arrays.
            prompts: What to follow, said about the first frame. Without any, objects are looked for.
            live: Keep up with the source and drop frames rather than wait; files then play at their own rate.
            check: Told what the source is before anything slow begins; may raise.
            known_depths: How far the things at some pixels of the first frame are; relative depth becomes meters.
            meanwhile: Called once while the models are loaded in another thread.
            source_options: For :func:`streamer.sources.open.open_source`.

        Raises:
            SourceError: It cannot be opened.
            PromptError: A prompt or a known depth does not lie on its frames, or what it is about is left out.
            ModelError: Weights are missing or damaged, or a model cannot run here.
            ConfigError: The camera's intrinsics cannot be read, or are those of another camera.
        """
        prompts = checked_prompts(prompts, masks=self.config.segmenter is not None)

        def reopen() -> Source:
            return open_source(source, live=live, **source_options)

        with ExitStack() as stack:
            opened = opened_source(reopen, prompts, check)
            by_itself = opened.info.live and not isinstance(opened, Pausable)
            batch_size = 1 if live else self._batch_size(opened.info.size)
            reach = reach_of(self.config.schedule.keyframe_interval, batch_size)
            reader = Reader(opened, live, reach, reopen=reopen if by_itself and opened.info.renewable else None)
            stack.callback(reader.stop)
            camera = KnownCamera(self.config.camera, opened.info.camera)
            camera.at(opened.info.size)  # one that does not fit is told before anything slow begins
            if by_itself:
                reader.start()  # what it shows while the models load must not wait in its buffers to be shown later
            if meanwhile is not None:
                self._models.load_beside(partial(meanwhile, reader))
            pipeline = self.pipeline(live, still=opened.info.is_alone, camera=camera)
            self._readers[pipeline] = reader
            stack.callback(self._forget, pipeline)
            self._begin(pipeline, prompts)
            if known_depths is not None:
                pipeline.calibrate(known_depths)
            prefetch = None
            if self.config.schedule.prefetch and not live:
                prefetch = _prefetch(pipeline.stages, batch_size)
                stack.callback(prefetch.close)
            if live:
                stack.enter_context(sharing_processor())
            if by_itself:
                reader.count_from_now()
            else:
                reader.start()
            yield Run(reader, pipeline, Meter(self.device), prefetch, live)

    def _begin(self, pipeline: Pipeline, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            pipeline.prompt(prompt)
        nothing_said = not prompts and self.config.text is None
        if nothing_said and self.segmenter is not None and self.config.tracking.max_objects > 0:
            pipeline.discover()

    def _forget(self, pipeline: Pipeline) -> None:
        self._pipelines.remove(pipeline)
        del self._readers[pipeline]
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
        """Stop every worker and end every run. May be called twice, and from any thread."""
        for reader in list(self._readers.values()):
            reader.stop()
        for pipeline in list(self._pipelines):
            pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _prefetch(stages: Sequence[Stage], batch_size: int) -> Prefetch:
    from streamer.models.runtime import devices

    # A result may depend on the number of threads in its last bit.
    return Prefetch(stages, batch_size, partial(devices.set_threads, devices.thread_count()))


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
