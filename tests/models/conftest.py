from __future__ import annotations

from pathlib import Path

import pytest

from streamer.models import registry
from streamer.models.parameters import SegmenterParameters
from streamer.models.sam2.segmenter import PromptableSegmenter
from tests.small_promptable import WRITERS


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small model of every kind, as a folder."""
    return {name: write(tmp_path_factory.mktemp("promptable") / name) for name, write in WRITERS.items()}


@pytest.fixture(scope="session")
def segmenters(folders: dict[str, Path]) -> dict[str, PromptableSegmenter]:
    """Each of them loaded, in float32."""
    parameters = {name: SegmenterParameters(model=str(folder), precision="float32") for name, folder in folders.items()}
    return {name: registry.load_segmenter(one, "cpu") for name, one in parameters.items()}  # type: ignore[misc]
