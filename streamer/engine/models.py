"""The models of one config, loaded when they are first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property

from streamer.config import Config
from streamer.data.detection import phrases_of
from streamer.models.protocols import DepthEstimator, Detector, RememberingSegmenter, Segmenter


class Models:
    """A segmenter, a depth model and a detector.

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

    @cached_property
    def device(self) -> str:
        """What they run on, for people.

        Raises:
            ModelError: There is no such device here.
        """
        from streamer.models.runtime import devices

        return devices.describe_device(devices.pick_device(self._config.device))

    @cached_property
    def on_cuda(self) -> bool:
        """Whether they run on a CUDA device, which takes several at once."""
        from streamer.models.runtime import devices

        return devices.pick_device(self._config.device).type == "cuda"

    @cached_property
    def segmenter(self) -> RememberingSegmenter | None:
        """The segmenter, with a memory of masks; None where the config leaves masks out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        from streamer.models import registry

        wanted = self._config.segmenter
        if wanted is None:
            return None
        segmenter = self._own_segmenter or registry.load_segmenter(wanted, self._config.device)
        return registry.remembering(segmenter, self._config.device)

    @cached_property
    def depth_estimator(self) -> DepthEstimator | None:
        """The depth model; None where the config leaves depth out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        from streamer.models import registry

        wanted = self._config.depth
        if wanted is None:
            return None
        if self._own_depth_estimator is not None:
            return self._own_depth_estimator
        return registry.load_depth(wanted, self._config.device)

    @cached_property
    def detector(self) -> Detector:
        """What finds things by words.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        from streamer.models.detectors.registry import load_detector

        return self._own_detector or load_detector(self._config.detector, self._config.device)

    def phrases_of(self, text: str | Sequence[str]) -> tuple[str, ...]:
        """The phrases of a text, known to be such as the detector can look for.

        Raises:
            PromptError: A phrase is empty, very long or not known, or there are very many.
        """
        from streamer.models.detectors.registry import checked_phrases

        return phrases_of(text) if self._own_detector else checked_phrases(text, self._config.detector)

    def load(self) -> None:
        """Load them now.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        _ = self.device, self.segmenter, self.depth_estimator
        if self._config.text is not None:
            _ = self.detector

    def load_beside(self, meanwhile: Callable[[Callable[[float], bool]], None]) -> None:
        """Load them in another thread; ``meanwhile`` runs in this one, and is given what waits for them.

        What waits takes the longest wait [s], and returns whether they are all there.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="streamer-loading") as thread:
            loading = thread.submit(self.load)
            meanwhile(lambda limit_s: bool(wait([loading], limit_s).done))
            loading.result()
