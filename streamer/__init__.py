"""Masks that follow what you click, and depth, on every frame of a camera or a video, at its own rate.

    import streamer

    with streamer.load("tiny") as engine:
        for result in engine.run("clip.mp4", prompts=[streamer.Prompt(point_coords=[(640, 360)])]):
            result.tracks[0].mask      # (H, W) bool
            result.inverse_depth       # (H, W) float32, larger is nearer

Names are loaded when they are first used, so that ``streamer --help`` need not wait for OpenCV; torch comes with the
first model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streamer.ui.window.xcb import prefer_opencv

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.data.camera_model import CameraModel
    from streamer.data.frame import Frame, StampOrigin
    from streamer.data.known_depths import KnownDepths
    from streamer.data.prompt import Prompt
    from streamer.data.result import Result
    from streamer.data.track import DepthStats, State, Track
    from streamer.engine import Engine, Live, Run, live, load
    from streamer.errors import (
        ConfigError,
        DisplayError,
        ModelError,
        PartialError,
        PromptError,
        SinkError,
        SourceError,
        StaleFrameError,
        StreamerError,
    )
    from streamer.geometry.point_cloud import PointCloud, point_cloud, unproject
    from streamer.sinks.lines import schema
    from streamer.sources.pushed import Pushed

__version__ = "0.3.0"

__all__ = [
    "CameraModel",
    "Config",
    "ConfigError",
    "DepthStats",
    "DisplayError",
    "Engine",
    "Frame",
    "KnownDepths",
    "Live",
    "ModelError",
    "PartialError",
    "PointCloud",
    "Prompt",
    "PromptError",
    "Pushed",
    "Result",
    "Run",
    "SinkError",
    "SourceError",
    "StaleFrameError",
    "StampOrigin",
    "State",
    "StreamerError",
    "Track",
    "live",
    "load",
    "point_cloud",
    "schema",
    "unproject",
]

prefer_opencv()

_MODULES = {
    "Config": "config",
    "Engine": "engine",
    **dict.fromkeys(("Live", "Run", "live", "load"), "engine"),
    "CameraModel": "data.camera_model",
    "KnownDepths": "data.known_depths",
    **dict.fromkeys(("PointCloud", "point_cloud", "unproject"), "geometry.point_cloud"),
    **dict.fromkeys(("Frame", "StampOrigin"), "data.frame"),
    "Prompt": "data.prompt",
    "Pushed": "sources.pushed",
    "Result": "data.result",
    "schema": "sinks.lines",
    **dict.fromkeys(("DepthStats", "State", "Track"), "data.track"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
