"""Models of transformers from a folder, the Hugging Face cache or tensors: whole, or not at all.

transformers fills what a checkpoint lacks with random values and a warning. Here that is an error.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoConfig
from transformers.utils import logging

from streamer.errors import ModelError
from streamer.models.catalog import CATALOG
from streamer.models.weights import hub


def config_of(model: str | Path, what: str) -> Any:
    """The config of a model in a folder or in the Hugging Face cache; nothing is downloaded.

    Args:
        model: Hugging Face name or folder.
        what: What it should be, for people: "a depth model".

    Raises:
        ModelError: It is not there, or no model that this version of transformers knows.
    """
    return told(lambda: AutoConfig.from_pretrained(model, local_files_only=True), model, what)


def from_folder(kind: type, model: str | Path, what: str, may_lack: float = 0.0, **options: Any) -> Any:
    """A model of that class with all its weights, float32 on the CPU, in evaluation mode.

    Args:
        kind: A class of transformers.
        model: Hugging Face name or folder; nothing is downloaded.
        what: What it should be, for people.
        may_lack: Share of its tensors that the weights may lack all the same.
        options: For ``from_pretrained``.

    Raises:
        ModelError: The model is not there, damaged, of another architecture, or lacks weights.
    """
    return _whole(kind, model, str(model), what, may_lack, local_files_only=True, **options)


def from_weights(kind: type, config: Any, weights: Mapping[str, Tensor], path: Path) -> Any:
    """A model of that class with these weights, as :func:`from_folder`.

    Raises:
        ModelError: They do not fit, or are not all.
    """
    what = "a whole checkpoint of its kind"
    return _whole(kind, None, str(path), what, 0.0, config=config, state_dict=dict(weights))


def _whole(kind: Any, source: str | Path | None, name: str, what: str, may_lack: float, **options: Any) -> Any:
    def load() -> Any:
        return kind.from_pretrained(source, output_loading_info=True, dtype="float32", **options)

    model, info = told(load, name, what)
    lacking = [*sorted(info["missing_keys"]), *sorted(str(key[0]) for key in info["mismatched_keys"])]
    if len(lacking) > may_lack * len(model.state_dict()):
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise ModelError(f"{name} is not {what} that can be loaded ({lacking[0]}{more} missing): choose another.")
    return model.eval().requires_grad_(False)


def told(load: Callable[[], Any], model: str | Path, what: str) -> Any:
    """The value of a call of transformers, whose errors are told in one sentence."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        return load()
    except OSError:
        raise ModelError(missing(model, what)) from None
    except pickle.UnpicklingError:
        raise ModelError(
            f"The weights in {model} were refused, because they hold code: use the official ones."
        ) from None
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ModelError(f"{model} is not {what} that can be loaded ({reason}): choose another.") from None


def missing(model: str | Path, what: str) -> str:
    """What to say of a model that is not there."""
    folder = Path(model)
    if folder.is_dir():
        lacking = hub.missing_files(folder)
        return f"{model} cannot be read as {what}: it lacks {', '.join(lacking) or 'whole weights'}."
    if str(model) in CATALOG:
        return (
            f"{model} is not here: run `streamer models pull {model}`, which brings {hub.page(model)} to "
            f"{hub.cache_folder()}, or name a folder with its files."
        )
    if hub.is_name(str(model)):
        return (
            f"There is neither a folder {model} nor such a model in {hub.cache_folder()}: check the path, or run "
            f"`streamer models pull {model}` if it is one of {hub.page(model)}."
        )
    return f"There is no folder {model}: check its path, or give a name of `streamer models list`."
