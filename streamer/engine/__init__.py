"""The composition root: turns a Config into models, stages, pipelines and runs, and shuts them down."""

from streamer.engine.engine import Engine, Spec, load
from streamer.engine.run import Run

__all__ = ["Engine", "Run", "Spec", "load"]
