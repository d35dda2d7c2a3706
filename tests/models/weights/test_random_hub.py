from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ModelError
from streamer.models import registry
from streamer.models.parameters import DepthParameters
from streamer.models.weights.random_hub import make_random_model


def test_a_named_size_is_made_and_loads(tmp_path: Path) -> None:
    name = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf"
    folder = make_random_model(name, tmp_path / "model")
    assert sum(file.stat().st_size for file in folder.glob("*.safetensors")) == pytest.approx(99.2e6, rel=0.02)
    assert registry.load_depth(DepthParameters(model=str(folder)), "cpu").unit == "m"


def test_sizes_that_are_not_known_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model whose sizes are known here 'apple/DepthPro-hf'"):
        make_random_model("apple/DepthPro-hf", tmp_path / "model")
