"""Models in the Hugging Face cache."""

from __future__ import annotations

import json
import re
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import (
    CacheNotFound,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
)
from huggingface_hub.utils import build_hf_headers

from streamer.errors import ModelError

CONFIG = "config.json"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
SETTINGS = ("*.json", "*.txt")
TIMEOUT_S = 10
_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def cache_folder() -> Path:
    """Where Hugging Face keeps its models (``HF_HOME`` and ``HF_HUB_CACHE`` move it)."""
    return Path(constants.HF_HUB_CACHE)


def page(name: str | Path) -> str:
    """The address where a person finds the model."""
    return f"{constants.ENDPOINT}/{name}"


def is_name(model: str) -> bool:
    """Whether this may be the name of a model there, owner and all, and no path."""
    return _NAME.fullmatch(model) is not None


def cached() -> dict[str, tuple[int, Path]]:
    """Size [bytes] and folder of every model in the cache, by name."""
    try:
        repositories = huggingface_hub.scan_cache_dir(cache_folder()).repos
    except CacheNotFound:
        return {}
    found = {}
    for repository in repositories:
        revisions = sorted(repository.revisions, key=lambda revision: revision.last_modified)
        if repository.repo_type == "model" and revisions:
            found[repository.repo_id] = (repository.size_on_disk, revisions[-1].snapshot_path)
    return found


def is_depth_model(folder: Path) -> bool:
    """Whether the config in a folder speaks of a model that estimates depth."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return any("DepthEstimation" in name for name in config.get("architectures") or ())


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be a model that can be loaded; ``WEIGHTS`` may be in either format, or in shards."""
    missing = [] if (folder / CONFIG).is_file() else [CONFIG]
    if not any((folder / name).is_file() for name in PROCESSORS):
        missing.append(PROCESSORS[0])
    return missing + _missing_weights(folder)


def _missing_weights(folder: Path) -> list[str]:
    if any((folder / name).is_file() for name in WEIGHTS):
        return []
    for name in WEIGHTS:
        try:
            index = json.loads((folder / f"{name}.index.json").read_text(encoding="utf-8"))
            shards = sorted(set(index["weight_map"].values()))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, AttributeError):
            return [f"{name}.index.json"]
        return [shard for shard in shards if not (folder / shard).is_file()]
    return [WEIGHTS[0]]


def download(name: str) -> Path:
    """Bring a model to the cache, safetensors preferred, and return its folder; go on where it broke off.

    Raises:
        ModelError: No network, no such model, no permission to have it, or no space.
    """
    try:
        _ask_for(name)
        folder = Path(huggingface_hub.snapshot_download(name, allow_patterns=[*SETTINGS, "*.safetensors"]))
        if missing_files(folder):
            folder = Path(huggingface_hub.snapshot_download(name, allow_patterns=[*SETTINGS, WEIGHTS[1]]))
    except HFValidationError:
        raise ModelError(f"{name!r} is not the name of a model: it must look like Intel/dpt-large.") from None
    except GatedRepoError:
        raise ModelError(gated(name)) from None
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelError(_explain(name, str(error).splitlines()[0])) from None
    except OSError as error:
        raise ModelError(_explain(name, error.strerror or str(error))) from None
    if missing := missing_files(folder):
        raise ModelError(f"{page(name)} is no model that can be loaded: it has no {', '.join(missing)}.")
    return folder


def gated(name: str) -> str:
    """What to do about a model that is given only to who has accepted its licence."""
    return (
        f"{name} is gated: accept its licence at {page(name)}, log in with `hf auth login`, and run the same command "
        "again."
    )


def _ask_for(name: str) -> None:
    """One question with a short time limit, since the library itself retries for half a minute without a network."""
    session = huggingface_hub.get_session()
    address = f"{page(name)}/resolve/main/{CONFIG}"
    try:
        answer = session.head(address, headers=build_hf_headers(), timeout=TIMEOUT_S, follow_redirects=True)
    except Exception as error:
        # The library's HTTP client has changed before, and so did its exceptions.
        raise ModelError(_explain(name, str(error))) from None
    if answer.headers.get("X-Error-Code") == "GatedRepo":
        raise ModelError(gated(name))
    if answer.status_code in (401, 403, 404):
        raise ModelError(f"There is no model at {page(name)}, or it needs a login: check the name.")


def _explain(name: str, reason: str) -> str:
    return (
        f"{page(name)} could not be downloaded ({reason.rstrip('.')}): run the same command again with a network, "
        f"or bring its files ({', '.join([CONFIG, PROCESSORS[0], WEIGHTS[0]])}) to a folder and name that folder as "
        "the model."
    )
