"""Depth models in the Hugging Face cache."""

from __future__ import annotations

import json
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import CacheNotFound, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from streamer.errors import ModelError

SETTINGS = ("config.json", "preprocessor_config.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
TIMEOUT_S = 10


def cache_folder() -> Path:
    """Where Hugging Face keeps its models (``HF_HOME`` and ``HF_HUB_CACHE`` move it)."""
    return Path(constants.HF_HUB_CACHE)


def page(name: str | Path) -> str:
    """The address where a person finds the model."""
    return f"{constants.ENDPOINT}/{name}"


def cached() -> dict[str, tuple[int, Path]]:
    """Size [bytes] and folder of every depth model in the cache, by name."""
    try:
        repositories = huggingface_hub.scan_cache_dir(cache_folder()).repos
    except CacheNotFound:
        return {}
    found = {}
    for repository in repositories:
        revisions = sorted(repository.revisions, key=lambda revision: revision.last_modified)
        if repository.repo_type == "model" and revisions and _is_depth_model(revisions[-1].snapshot_path):
            found[repository.repo_id] = (repository.size_on_disk, revisions[-1].snapshot_path)
    return found


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks to be a model that can be loaded; ``WEIGHTS`` may be in either format, or in shards."""
    missing = [name for name in SETTINGS if not (folder / name).is_file()]
    if not any((folder / name).is_file() or (folder / f"{name}.index.json").is_file() for name in WEIGHTS):
        missing.append(WEIGHTS[0])
    return missing


def download(name: str) -> Path:
    """Bring a model to the cache, safetensors preferred, and return its folder.

    Raises:
        ModelError: No network, no such model, no space or no permission.
    """
    try:
        _ask_for(name)
        folder = Path(huggingface_hub.snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
        if missing_files(folder):
            folder = Path(huggingface_hub.snapshot_download(name, allow_patterns=["*.json", WEIGHTS[1]]))
    except HFValidationError:
        raise ModelError(f"{name!r} is not the name of a model: it must look like Intel/dpt-large.") from None
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelError(_explain(name, str(error).splitlines()[0])) from None
    except OSError as error:
        raise ModelError(_explain(name, error.strerror or str(error))) from None
    if missing := missing_files(folder):
        raise ModelError(f"{page(name)} is no depth model that can be loaded: it has no {', '.join(missing)}.")
    return folder


def _ask_for(name: str) -> None:
    """One question with a short time limit, since the library itself retries for half a minute without a network."""
    session = huggingface_hub.get_session()
    try:
        answer = session.head(f"{page(name)}/resolve/main/config.json", timeout=TIMEOUT_S, follow_redirects=True)
    except Exception as error:
        # The library's HTTP client has changed before, and so did its exceptions.
        raise ModelError(_explain(name, str(error))) from None
    if answer.status_code in (401, 403, 404):
        raise ModelError(f"There is no model at {page(name)}, or it needs a login: check the name.")


def _explain(name: str, reason: str) -> str:
    return (
        f"{page(name)} could not be downloaded ({reason.rstrip('.')}): run the same command again with a network, "
        f"or bring its files ({', '.join([*SETTINGS, WEIGHTS[0]])}) to a folder and name that folder as the model."
    )


def _is_depth_model(folder: Path) -> bool:
    try:
        config = json.loads((folder / SETTINGS[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return any("DepthEstimation" in name for name in config.get("architectures") or ())
