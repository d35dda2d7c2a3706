"""One config brought to life: its models, and the pipelines and runs that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamer import config as configuration
from streamer.config import Config
from streamer.data.automatic_mask import AutomaticMask
from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.data.source import Pausable, Source, SourceInfo
from streamer.engine.live_run import Live
from streamer.engine.model_threads import ModelThreads
from streamer.engine.models import Models
from streamer.engine.opening import checked_prompts, opened_source
from streamer.engine.run import Run
from streamer.engine.stages import build_stages
from streamer.errors import PromptError
from streamer.geometry.known_camera import KnownCamera
from streamer.models.protocols import DepthEstimator, Detector, RememberingSegmenter, Segmenter
from streamer.motion.motion import Motion
from streamer.pipeline import Pipeline
from streamer.scheduling.prefetch import Prefetch, batch_that_fits, reach_of
from streamer.scheduling.sharing import sharing_processor
from streamer.scheduling.workers import InlineWorkers, Workers
from streamer.sources.open import open_source
from streamer.sources.reader import Reader
from streamer.stages.protocol import Stage
from streamer.terminal.telemetry import Meter
from streamer.tracking.parameters import TrackingParameters

Spec = str | int | Path | Source | Iterable[Any]

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
        self._first_out = Event()
        self._threads = ModelThreads(config.schedule, self._models, self._first_out)

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

    def everything(self, image_rgb: NDArray[np.uint8]) -> list[AutomaticMask]:
        """Every mask that the segmenter finds in a ``(H, W, 3)`` uint8 RGB image, the surest first.

        Raises:
            PromptError: Masks are left out.
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        from streamer.models.automatic import automatic_masks

        segmenter = self.segmenter
        if segmenter is None:
            raise PromptError("Masks are left out, so nothing can be found: let them in.")
        return automatic_masks(segmenter, image_rgb, self.config.automatic)

    @property
    def gives_meters(self) -> bool:
        """Whether depth has meters by itself: the model is metric, or the config knows the camera's height.

        Raises:
            ModelError: The model's weights are missing or damaged, or it cannot run here.
        """
        estimator = self.depth_estimator
        metric = estimator is not None and estimator.unit is DepthUnit.METERS
        return metric or self.config.camera.height_m is not None

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
        deferred: bool = False,
    ) -> Pipeline:
        """A fresh pipeline. Live ones run the models in threads; others run them at once, always the same way.

        Args:
            live: Which of the two.
            tracking: Instead of the config's own.
            workers: Run the models, instead of what ``live`` asks for.
            still: There will be one frame: its masks may be finer, since they need not keep up with anything.
            camera: What is known of the camera; None leaves it to the config.
            deferred: Whether a live one takes frames before the models are there, and loads them in its threads.

        Raises:
            ConfigError: The camera's intrinsics cannot be read.
        """
        camera = camera or self._camera(None)
        built = build_stages(self.config, self._models, tracking or self.config.tracking, camera, deferred, live)
        flow = self.config.flow
        pipeline = Pipeline(
            built.stages,
            workers or (self._threads.of(built.stages, deferred) if live else InlineWorkers()),
            Motion(flow.at_least(_STILL_SIDE_PX) if still else flow),
            built.masks,
            camera,
            built.depth,
        )
        self._pipelines.append(pipeline)
        return pipeline

    def _camera(self, own: CameraModel | None) -> KnownCamera:
        return KnownCamera(self.config.camera, own, lambda: self._models.estimated_fov_deg)

    def _batch_size(self, frame_size: tuple[int, int]) -> int:
        """How many keyframes of that (width, height) are worth encoding together."""
        compiled = self.config.segmenter is not None and self.config.segmenter.compile
        if not self.config.schedule.prefetch or compiled or not self._models.on_cuda:
            return 1
        return batch_that_fits(self.config.schedule.keyframe_interval, frame_size)

    @contextmanager
    def open(
        self,
        source: Spec,
        prompts: Prompt | Sequence[Prompt] = (),
        live: bool = False,
        check: Callable[[SourceInfo], object] | None = None,
        known_depths: KnownDepths | None = None,
        meanwhile: Meanwhile | None = None,
        discover: bool = True,
        deferred: bool | None = None,
        **source_options: Any,
    ) -> Iterator[Run]:
        """Open a source, load the models if they are not, and begin to read.

        Args:
            source: Path, camera index, URL, folder, pattern, ``scene``, iterable of ``(H, W, 3)`` uint8 RGB arrays, a
                :class:`Pushed`, or a source of your own.
            prompts: What to follow, said about the first frame.
            live: Keep up with the source and drop frames rather than wait; files then play at their own rate.
            check: Told what the source is before anything slow begins; may raise.
            known_depths: How far the things at some pixels of the first frame are; relative depth becomes meters.
            meanwhile: Called once while the models are loaded in another thread; not where they load behind the frames.
            discover: Whether objects are looked for where nobody says what to follow, in prompts or by words.
            deferred: Whether frames are given out before the models are there, which load behind them; None does so
                where the frames would be gone otherwise.
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
            renewable = by_itself and opened.info.renewable and opened is not source
            reader = Reader(opened, live, reach, reopen=reopen if renewable else None)
            stack.callback(reader.stop)
            camera = self._camera(opened.info.camera)
            camera.at(opened.info.size)  # one that does not fit is told before anything slow begins
            if by_itself:
                reader.start()  # what it shows while the models load must not wait in its buffers to be shown later
            stack.enter_context(sharing_processor(live))
            if not (live or opened.info.is_alone):
                self._threads.share_with_file()
            deferred = live and (by_itself if deferred is None else deferred) and not self._models.loaded
            if meanwhile is not None and not deferred:
                self._models.load_beside(partial(meanwhile, reader))
            pipeline = self.pipeline(live, still=opened.info.is_alone, camera=camera, deferred=deferred)
            self._readers[pipeline] = reader
            stack.callback(self._forget, pipeline)
            for prompt in prompts:
                pipeline.prompt(prompt)
            nothing_said = not prompts and self.config.text is None
            if discover and nothing_said and self.config.segmenter is not None and self.config.tracking.max_objects > 0:
                pipeline.discover()
            if known_depths is not None:
                pipeline.calibrate(known_depths)
            prefetch = None
            if self.config.schedule.prefetch and not live:
                prefetch = _prefetch(pipeline.stages, batch_size)
                stack.callback(prefetch.close)
            if by_itself:
                reader.count_from_now()
            else:
                reader.start()
            device = (lambda: self._models.known_device) if deferred else self.device
            yield Run(reader, pipeline, Meter(device), prefetch, live, self._first_out)

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

    def live(
        self, source: Spec, prompts: Prompt | Sequence[Prompt] = (), discover: bool = False, **options: Any
    ) -> Live:
        """A live source in a thread of its own, to be iterated, polled and spoken to; see :class:`Live`.

        Several at once share the models: their weights are there once, one call runs at a time, and of those who wait
        the one that was served longest ago goes first.

        Raises:
            SourceError: It cannot be opened.
            PromptError: A prompt does not lie on its frames, or masks are left out.
        """
        return Live(self, source, prompts, discover, **options)

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
    return _engine_of(config, overrides).load()


def live(
    source: Spec,
    config: str | Path | Config = "tiny",
    prompts: Prompt | Sequence[Prompt] = (),
    overrides: str | Sequence[str] = (),
    discover: bool = False,
    **options: Any,
) -> Live:
    """Open a live source, and load the models behind its frames; for several sources see :meth:`Engine.live`.

    Args:
        source: Camera index, URL, :class:`Pushed`, a file at its own rate, or whatever else :meth:`Engine.open` takes.
        config: Name of a preset, path of a YAML file, or a Config.
        prompts: What to follow, said about the first frame; more may be said at any time.
        overrides: ``section.key=value`` entries that replace those of the preset.
        discover: Whether to look for objects without being told where.
        options: For the source, such as ``width``, ``height`` and ``rate_hz`` of a camera.

    Raises:
        ConfigError: No such preset, key or value.
        SourceError: The source cannot be opened.
    """
    engine = _engine_of(config, overrides)
    return Live(engine, source, prompts, discover, engine.close, **options)


def _engine_of(config: str | Path | Config, overrides: str | Sequence[str]) -> Engine:
    return Engine(config if isinstance(config, Config) else configuration.load(config, overrides))
