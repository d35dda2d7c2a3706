"""A rendered moving scene with exact truth: the stand-in camera of the demo, the tests and the benchmarks."""

from streamer.sources.scene.degrade import degrade
from streamer.sources.scene.source import SceneSource
from streamer.sources.scene.truth import SceneTruth

__all__ = ["SceneSource", "SceneTruth", "degrade"]
