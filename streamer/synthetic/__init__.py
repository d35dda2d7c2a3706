"""A rendered moving scene with exact truth: the stand-in camera of the demo, the tests and the benchmarks."""

from streamer.synthetic.degrade import degrade
from streamer.synthetic.source import SceneSource
from streamer.synthetic.truth import SceneTruth

__all__ = ["SceneSource", "SceneTruth", "degrade"]
