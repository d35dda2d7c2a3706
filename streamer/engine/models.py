"""The models of one config, loaded when they are first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import RLock
from typing import Any, TypeVar, cast

from streamer.config import Config
from streamer.data.detection import phrases_of
from streamer.models.protocols import DepthEstimator, Detector, RememberingSegmenter, Segmenter

T = TypeVar("T")


class Models:
    """A segmenter, a depth model and a detector. Each is loaded once, by the thread that needs it first.

    Args:
        config: Which ones, and on which device.
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
        self._config = config
        self._own_segmenter, self._own_depth_estimator, self._own_detector = segmenter, depth_estimator, detector
        self._loading = RLock()
        self._loaded: dict[str, Any] = {}

    @property
    def device(self) -> str:
        """What they run on, for people.

        Raises:
            ModelError: There is no such device here.
        """
        from streamer.models.runtime import devices

        return self._once("device", lambda: devices.describe_device(devices.pick_device(self._config.device)))

    @property
    def known_device(self) -> str:
        """The same, or that it is not known yet."""
        return cast(str, self._loaded.get("device", "not known yet"))

    @property
    def on_cuda(self) -> bool:
        """Whether they run on a CUDA device, which takes several at once."""
        from streamer.models.runtime import devices

        return devices.pick_device(self._config.device).type == "cuda"

    @property
    def small(self) -> bool:
        """Whether they are the bundled ones, whose layers are over before many cores have agreed on how to share them.

        Beside five busy programs on two cores, a file took 9 s on one core and 24 s on both: whichever core is done
        first turns in circles until the other one, which somebody else has taken, is done as well.
        """
        own = self._own_segmenter or self._own_depth_estimator
        chosen = (self._config.segmenter, self._config.depth)
        return own is None and all(section is None or section.model == "tiny" for section in chosen)

    @property
    def segmenter(self) -> RememberingSegmenter | None:
        """The segmenter, with a memory of masks; None where the config leaves masks out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        return self._once("segmenter", self._load_segmenter)

    @property
    def depth_estimator(self) -> DepthEstimator | None:
        """The depth model; None where the config leaves depth out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        return self._once("depth_estimator", self._load_depth)

    @property
    def detector(self) -> Detector:
        """What finds things by words.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        return self._once("detector", self._load_detector)

    def phrases_of(self, text: str | Sequence[str]) -> tuple[str, ...]:
        """The phrases of a text, known to be such as the detector can look for.

        Raises:
            PromptError: A phrase is empty, very long or not known, or there are very many.
        """
        from streamer.models.detectors.registry import checked_phrases

        return phrases_of(text) if self._own_detector else checked_phrases(text, self._config.detector)

    @property
    def estimated_fov_deg(self) -> float | None:
        """Horizontal field of view that the depth model sees [degrees]; None until it does, and where it does not."""
        return getattr(self._loaded.get("depth_estimator"), "fov_deg", None)

    def load(self) -> None:
        """Load them now.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        _ = self.device, self.segmenter, self.depth_estimator
        if self._config.text is not None:
            _ = self.detector

    @property
    def loaded(self) -> bool:
        """Whether all of them are there."""
        wanted = {
            "segmenter": self._config.segmenter,
            "depth_estimator": self._config.depth,
            "detector": self._config.text,
        }
        return all(name in self._loaded for name, section in wanted.items() if section is not None)

    def load_beside(self, meanwhile: Callable[[Callable[[float], bool]], None]) -> None:
        """Load them in another thread; ``meanwhile`` runs in this one, and is given what waits for them.

        What waits takes the longest wait [s], and returns whether they are all there. They begin to load with the first
        wait, since importing torch would hold up what is shown before it. Nothing is called where they are there.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        if self.loaded:
            return
        loading: list[Future[None]] = []
        with ThreadPoolExecutor(1, thread_name_prefix="streamer-loading") as thread:

            def loaded_within(limit_s: float) -> bool:
                if not loading:
                    loading.append(thread.submit(self.load))
                return bool(wait(loading, limit_s).done)

            meanwhile(loaded_within)
            for one in loading:
                one.result()
        self.load()

    def loader(self, stage: str) -> Callable[[], object] | None:
        """What loads the model of this stage, in whatever thread there is time for it; None where it needs none.

        The detector is loaded with the first words where none are said beforehand.

        Raises:
            ModelError: (what is returned, when called) Its weights are missing or damaged, or it cannot run here.
        """
        loaders: dict[str, Callable[[], object] | None] = {
            "masks": lambda: self.segmenter,
            "depth": lambda: self.depth_estimator,
            "detections": None if self._config.text is None else lambda: self.detector,
        }
        return loaders.get(stage)

    @property
    def deferred_segmenter(self) -> RememberingSegmenter | None:
        """The segmenter, loaded by whoever first asks something of it; None where the config leaves masks out."""
        wanted = self._config.segmenter is not None
        return cast(RememberingSegmenter, _Deferred(lambda: self.segmenter)) if wanted else None

    @property
    def deferred_depth_estimator(self) -> DepthEstimator | None:
        """The depth model, loaded by whoever first asks something of it; None where the config leaves depth out."""
        wanted = self._config.depth is not None
        return cast(DepthEstimator, _Deferred(lambda: self.depth_estimator)) if wanted else None

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = make()
            return cast(T, self._loaded[name])

    def _load_segmenter(self) -> RememberingSegmenter | None:
        from streamer.models import registry

        wanted = self._config.segmenter
        if wanted is None:
            return None
        segmenter = self._own_segmenter or registry.load_segmenter(wanted, self._config.device)
        return registry.remembering(segmenter, self._config.device, self._config.tracking.method, wanted.runtime)

    def _load_depth(self) -> DepthEstimator | None:
        from streamer.models import registry

        wanted = self._config.depth
        return None if wanted is None else self._own_depth_estimator or registry.load_depth(wanted, self._config.device)

    def _load_detector(self) -> Detector:
        from streamer.models.detectors.registry import load_detector

        return self._own_detector or load_detector(self._config.detector, self._config.device)


class _Deferred:
    """Stands in the place of a model that is loaded when it is first asked something."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)
