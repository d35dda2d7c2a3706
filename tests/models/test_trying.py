from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ModelError
from streamer.models.trying import try_model
from tests.small_models import write_small_dpt


def test_the_bundled_models_are_loaded_and_called() -> None:
    said = list(try_model("tiny", "cpu"))
    assert [line.split(" is ")[0] for line in said[::2]] == ["tiny", "tiny"]
    assert "tracking.method: memory" in said[1]
    assert "gives relative inverse depth" in said[3]


def test_a_video_model_says_that_it_follows(folders: dict[str, Path]) -> None:
    assert "tracking.method: edgetam" in list(try_model(str(folders["edgetam"]), "cpu"))[1]


def test_a_folder_with_a_depth_model_is_known_for_one(tmp_path: Path) -> None:
    said = list(try_model(str(write_small_dpt(tmp_path / "mine")), "cpu"))
    assert "as a depth model" in said[0]


def test_an_unknown_name_is_one_sentence() -> None:
    with pytest.raises(ModelError, match="did you mean vit_"):
        list(try_model("vit_x", "cpu"))
