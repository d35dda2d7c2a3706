"""The models of one config, loaded when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import Any, cast

from streamer.config import Config
from streamer.models.protocols import DepthEstimator, Segmenter


class Models:
    """A segmenter and a depth model.

    Args:
        config: Which ones, and on which device.
        segmenter, depth_estimator: Models of one's own, used instead of the config's where it does not leave their
            kind out.
    """

    def __init__(
        self, config: Config, segmenter: Segmenter | None = None, depth_estimator: DepthEstimator | None = None
    ) -> None:
        self._config = config
        self._own_segmenter, self._own_depth_estimator = segmenter, depth_estimator
        self._loading = RLock()

    @cached_property
    def device(self) -> str:
        """What they run on, for people.

        Raises:
            ModelError: There is no such device here.
        """
        from streamer.models.runtime import devices

        return devices.describe_device(devices.pick_device(self._config.device))

    @property
    def known_device(self) -> str:
        """The same, or that it is not known yet."""
        return self.device if "device" in self.__dict__ else "loading the models"

    @cached_property
    def on_cuda(self) -> bool:
        """Whether they run on a CUDA device, which takes several at once."""
        from streamer.models.runtime import devices

        return devices.pick_device(self._config.device).type == "cuda"

    @cached_property
    def segmenter(self) -> Segmenter | None:
        """The segmenter; None where the config leaves masks out.

        Raises:
            ModelError: Its weights are missing or damaged, or it cannot run here.
        """
        from streamer.models import registry

        wanted = self._config.segmenter
        if wanted is None:
            return None
        if self._own_segmenter is not None:
            return self._own_segmenter
        return registry.load_segmenter(wanted, self._config.device)

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

    def load(self) -> None:
        """Load them now.

        Raises:
            ModelError: Weights are missing or damaged, or a model cannot run here.
        """
        with self._loading:
            _ = self.device, self.segmenter, self.depth_estimator

    @property
    def loaded(self) -> bool:
        """Whether all of them are there."""
        wanted = {"segmenter": self._config.segmenter, "depth_estimator": self._config.depth, "device": True}
        return all(name in self.__dict__ for name, section in wanted.items() if section is not None)

    def loader(self, stage: str) -> Callable[[], object] | None:
        """What loads the model of this stage, in whatever thread there is time for it; None where it needs none.

        Raises:
            ModelError: (what is returned, when called) Its weights are missing or damaged, or it cannot run here.
        """
        names = {"masks": "segmenter", "depth": "depth_estimator"}
        if stage not in names:
            return None

        def load() -> None:
            with self._loading:
                _ = self.device, getattr(self, names[stage])

        return load

    @property
    def deferred_segmenter(self) -> Segmenter | None:
        """The segmenter, loaded by whoever first asks something of it; None where the config leaves masks out."""
        wanted = self._config.segmenter is not None
        return cast(Segmenter, _Deferred(lambda: self.segmenter)) if wanted else None

    @property
    def deferred_depth_estimator(self) -> DepthEstimator | None:
        """The depth model, loaded by whoever first asks something of it; None where the config leaves depth out."""
        wanted = self._config.depth is not None
        return cast(DepthEstimator, _Deferred(lambda: self.depth_estimator)) if wanted else None


class _Deferred:
    """Stands in the place of a model that is loaded when it is first asked something."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)
