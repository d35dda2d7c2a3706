"""Where the weights of models lie: getting them, listing them, and telling whether they are whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ModelError
from streamer.models.catalog import CATALOG, DEPTH, DETECTOR, SEGMENTER, ModelCard, file_models, official_name
from streamer.models.names import unknown
from streamer.models.weights import hub
from streamer.models.weights.cache import cache_folder
from streamer.models.weights.download import Progress, fetch, ignore_progress, is_intact, part_of

TINY = "tiny"
TINY_LICENCE = "mixed, see its card"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model, as ``streamer models list`` shows it.

    Attributes:
        name: What it is called in a config.
        kind: segmenter, depth, detector, or several.
        state: ``bundled``, ``cached``, ``broken off`` (half a download) or ``available``.
        size_bytes: Of its weights [bytes]; None where that is not known before the download.
        licence: Of its weights; empty where it is not known here.
        gated: Whether a login and an accepted licence are needed to get it.
        good_for: In a few words.
        path: Where the weights are, or will be.
    """

    name: str
    kind: str
    state: str
    size_bytes: int | None
    licence: str
    gated: bool
    good_for: str
    path: Path


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Whether the weights of one model are whole (``intact``), and what to do if not (``message``)."""

    name: str
    intact: bool
    message: str


def checkpoint_path(name: str) -> Path:
    """Where the official checkpoint of a model (``vit_b``, ``sam2.1_hiera_tiny.pt``) lies or will lie."""
    return cache_folder() / file_models()[name].name


def address_of(name: str) -> str:
    """Where the official checkpoint of a model is on the web."""
    file = file_models()[name]
    return f"{file.folder}/{file.name}"


def download(name: str, folder: str | None = None, progress: Progress = ignore_progress) -> Path:
    """Get the weights of a model by its name, or go on getting them; nothing happens where they are there.

    Args:
        name: Of the catalog, or any of Hugging Face.
        folder: The address under which a checkpoint of the catalog lies; its own where None.
        progress: Told about every piece of such a checkpoint that has arrived.

    Raises:
        ModelError: There is no such model, or its weights could not be had.
    """
    name = official_name(name)
    if name in file_models():
        card, file, path = CATALOG[name], file_models()[name], checkpoint_path(name)
        if not (path.exists() and is_intact(path, card.size_bytes, file.sha256)):
            address = f"{folder or file.folder}/{file.name}"
            fetch(address, path, card.size_bytes, file.sha256, progress)
        return path
    if hub.is_name(name):
        return hub.download(name)
    if name == TINY:
        raise ModelError("The tiny models come with the package: there is nothing to download.")
    raise unknown("model", name, CATALOG)


def list_models() -> list[ModelEntry]:
    """Every model that has a name here, and what else in the Hugging Face cache estimates depth."""
    folder = Path(__file__).parent / TINY
    size_bytes = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    kinds = f"{SEGMENTER}, {DEPTH}, {DETECTOR}"
    entries = [ModelEntry(TINY, kinds, "bundled", size_bytes, TINY_LICENCE, False, "any CPU, at once", folder)]
    cached = hub.cached()
    entries += [_entry(name, card, cached) for name, card in CATALOG.items()]
    for name, (size_on_disk, path) in sorted(cached.items()):
        if name not in CATALOG and hub.is_depth_model(path):
            entries.append(ModelEntry(name, DEPTH, _state(path), size_on_disk, "", False, "", path))
    return entries


def _entry(name: str, card: ModelCard, cached: dict[str, tuple[int, Path]]) -> ModelEntry:
    size_bytes = card.size_bytes
    if card.file is not None:
        path = checkpoint_path(name)
        state = "cached" if path.exists() else "broken off" if part_of(path).exists() else "available"
    elif name in cached:
        size_bytes, path = cached[name]
        state = _state(path)
    else:
        path, state = hub.cache_folder(), "available"
    return ModelEntry(name, card.kind, state, size_bytes, card.licence, card.gated, card.good_for, path)


def _state(folder: Path) -> str:
    return "broken off" if hub.missing_files(folder) else "cached"


def check_files() -> list[ModelCheck]:
    """Verify what is cached: checkpoints by size and SHA-256, models of Hugging Face by their files being there."""
    checks = []
    for name, file in file_models().items():
        path = checkpoint_path(name)
        if not path.exists():
            continue
        intact = is_intact(path, CATALOG[name].size_bytes, file.sha256)
        advice = f"delete {path} and run `streamer models pull {name}`"
        checks.append(ModelCheck(name, intact, f"{path} is whole" if intact else f"{path} is damaged: {advice}"))
    for name, (_, path) in sorted(hub.cached().items()):
        if name not in CATALOG and not hub.is_depth_model(path):
            continue
        missing = hub.missing_files(path)
        lacking = f"{path} lacks {', '.join(missing)}: run `streamer models pull {name}`"
        checks.append(ModelCheck(name, not missing, lacking if missing else f"{path} is whole"))
    return checks
