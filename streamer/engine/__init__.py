"""The composition root: turns a Config into models, stages, pipelines and runs, and shuts them down."""

from streamer.engine.engine import Engine, Spec, live, load
from streamer.engine.live_run import Live
from streamer.engine.run import Run

__all__ = ["Engine", "Live", "Run", "Spec", "live", "load"]
