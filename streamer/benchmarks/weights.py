"""Weights for measuring speed where the official ones are not here: it does not depend on their values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamer.config import Config
from streamer.models.catalog import CATALOG
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

    if model in CATALOG and model not in SAMS:
        folder = _random_folder(model, tell)
        return {} if folder is None else {"checkpoint": folder}
    if model not in SAMS or store.checkpoint_path(model).exists():
        return {}
    path = cache_folder() / "bench" / f"random_{model}.pth"
    if not path.exists():
        from streamer.models.weights.random_weights import make_random_checkpoint

        tell(f"Making {model} with random weights, once.")
        make_random_checkpoint(model, path)
    return {"checkpoint": path}


def _depth(model: str, tell: Callable[[str], None]) -> dict[str, Any]:
    folder = _random_folder(model, tell) if model in CATALOG else None
    return {} if folder is None else {"model": str(folder)}


def _random_folder(model: str, tell: Callable[[str], None]) -> Path | None:
    """A folder with random weights of that size; None where the real ones are here."""
    from streamer.models.weights import hub
    from streamer.models.weights.random_hub import make_random_model

    if model in hub.cached():
        return None
    folder = cache_folder() / "bench" / f"random-{model.rpartition('/')[2]}"
    if not any((folder / name).exists() for name in hub.PROCESSORS):
        tell(f"Making {model} with random weights, once.")
        make_random_model(model, folder)
    return folder
