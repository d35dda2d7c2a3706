from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from streamer.errors import ModelError
from streamer.models import registry
from streamer.models.parameters import SegmenterParameters


def load(model: Path | str) -> object:
    return registry.load_segmenter(SegmenterParameters(model=str(model)), "cpu")


def test_what_lacks_weights_is_refused_instead_of_filled_with_noise(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["sam2"], tmp_path / "part")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("memory_encoder.projection")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"not a segmenter that can be loaded \(memory_encoder\.projection\.bias and 1"
    ):
        load(folder)


def test_another_kind_of_model_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["sam2"], tmp_path / "other")
    (folder / "config.json").write_text(json.dumps({"model_type": "dpt"}))
    with pytest.raises(ModelError, match=r"is a model of type dpt, not a segmenter: choose one of edgetam, .*sam_hq"):
        load(folder)


def test_half_a_download_says_what_it_lacks(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["edgetam"], tmp_path / "half")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"cannot be read as a segmenter: it lacks model\.safetensors"):
        load(folder)


def test_what_is_not_here_is_pulled_or_looked_for() -> None:
    with pytest.raises(ModelError, match="facebook/sam3 is not here: run `streamer models pull facebook/sam3`"):
        load("facebook/sam3")
    with pytest.raises(ModelError, match=r"There is no folder \./nowhere: check its path"):
        load("./nowhere")
