"""Weights for measuring speed where the official ones are not here: it does not depend on their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamer.config import Config
from streamer.models.weights.cache import cache_folder


def with_weights(config: Config, tell: Callable[[str], None]) -> Config:
    """The config, with random weights for models of official sizes that were never pulled; they are made once."""
    changes: dict[str, Any] = {}
    if config.segmenter is not None and config.segmenter.checkpoint is None:
        changes["segmenter"] = config.segmenter.model_copy(update=_segmenter(config.segmenter.model, tell))
    if config.depth is not None:
        changes["depth"] = config.depth.model_copy(update=_depth(config.depth.model, tell))
    return config.model_copy(update=changes)


def _segmenter(model: str, tell: Callable[[str], None]) -> dict[str, Any]:
    from streamer.models import store
    from streamer.models.weights.random_weights import SAMS

    if model not in SAMS or store.checkpoint_path(model).exists():
        return {}
    path = cache_folder() / "bench" / f"random_{model}.pth"
    if not path.exists():
        from streamer.models.weights.random_weights import make_random_checkpoint

        tell(f"Making {model} with random weights, once.")
        make_random_checkpoint(model, path)
    return {"checkpoint": path}


def _depth(model: str, tell: Callable[[str], None]) -> dict[str, Any]:
    from streamer.models.weights import hub
    from streamer.models.weights.random_weights import DPT_SIZES, make_random_dpt

    if model not in DPT_SIZES or model in hub.cached():
        return {}
    folder = cache_folder() / "bench" / f"random-{model.rpartition('/')[2]}"
    if not (folder / "preprocessor_config.json").exists():
        tell(f"Making {model} with random weights, once.")
        make_random_dpt(model, folder)
    return {"model": str(folder)}
