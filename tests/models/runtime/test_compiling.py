from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import torch

from streamer.errors import ModelError
from streamer.models.runtime import compiling

CPU = torch.device("cpu")


@pytest.mark.parametrize("before", [None, str(Path(tempfile.gettempdir()) / "torchinductor_someone")])
def test_compiled_code_is_kept_in_our_cache_and_said_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str | None
) -> None:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path))
    monkeypatch.setenv(compiling.CACHE_VARIABLE, before or "")
    if before is None:
        monkeypatch.delenv(compiling.CACHE_VARIABLE)
    monkeypatch.setattr(compiling, "_has_compiler", lambda: True)
    compiling.compiled(torch.nn.Identity(), "vit_b", CPU)
    assert os.environ[compiling.CACHE_VARIABLE] == str(tmp_path / "compiled")
    assert "Compiling vit_b at its first use: this takes minutes once" in caplog.text
    assert str(tmp_path) in caplog.text


def test_the_persons_own_folder_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiling.CACHE_VARIABLE, "/elsewhere/compiled")
    monkeypatch.setattr(compiling, "_has_compiler", lambda: True)
    compiling.compiled(torch.nn.Identity(), "vit_b", CPU)
    assert os.environ[compiling.CACHE_VARIABLE] == "/elsewhere/compiled"


def test_no_compiler_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ModelError, match=r"needs a C\+\+ compiler .*set compile=false"):
        compiling.compiled(torch.nn.Identity(), "vit_b", CPU)
