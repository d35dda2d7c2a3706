"""Depth models on their way into the Hugging Face cache, from a hub that does what the test says."""

from __future__ import annotations

import errno
import json
import os
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from streamer.errors import ModelError
from streamer.models.weights import hub

NAME = "Intel/dpt-large"
SETTINGS = {"config.json", "preprocessor_config.json"}


class FakeHub:
    """Has the files of one model; ``status`` and ``error`` are what goes wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self.status = folder, SETTINGS | {"model.safetensors", "pytorch_model.bin"}, 200
        self.error: Exception | None = None
        self.code, self.content = "", "{}"

    def head(self, url: str, headers: dict[str, str], timeout: float, follow_redirects: bool) -> SimpleNamespace:
        assert timeout <= 10
        self.asked, self.headers = url, headers
        return SimpleNamespace(status_code=self.status, headers={"X-Error-Code": self.code})

    def snapshot_download(self, name: str, allow_patterns: list[str]) -> str:
        if self.error is not None:
            raise self.error
        for file in self.files:
            if any(fnmatch(file, pattern) for pattern in allow_patterns):
                (self.folder / file).write_text(self.content)
        return str(self.folder)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub(tmp_path)
    monkeypatch.setattr(hub.huggingface_hub, "get_session", lambda: fake)
    monkeypatch.setattr(hub.huggingface_hub, "snapshot_download", fake.snapshot_download)
    return fake


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_safetensors_are_preferred_and_nothing_is_fetched_twice(fake: FakeHub) -> None:
    assert hub.download(NAME) == fake.folder
    assert names_in(fake.folder) == SETTINGS | {"model.safetensors"}
    assert fake.asked == f"{hub.page(NAME)}/resolve/main/config.json"


def test_weights_in_the_old_format_will_do(fake: FakeHub) -> None:
    fake.files -= {"model.safetensors"}
    assert hub.missing_files(hub.download(NAME)) == []
    assert names_in(fake.folder) == SETTINGS | {"pytorch_model.bin"}


def test_weights_in_shards_are_weights(fake: FakeHub) -> None:
    shards = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
    fake.files = SETTINGS | {"model.safetensors.index.json", *shards}
    fake.content = json.dumps({"weight_map": dict(zip("ab", sorted(shards), strict=True))})
    folder = hub.download(NAME)
    assert "pytorch_model.bin" not in names_in(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert hub.missing_files(folder) == ["model-00002-of-00002.safetensors"]
    (folder / "model.safetensors.index.json").write_text("{half")
    assert hub.missing_files(folder) == ["model.safetensors.index.json"]


def test_a_gated_model_says_how_to_log_in(fake: FakeHub) -> None:
    fake.status, fake.code = 403, "GatedRepo"
    with pytest.raises(ModelError, match=f"{NAME} is gated: accept its licence at .*, log in with `hf auth login`"):
        hub.download(NAME)
    assert "user-agent" in fake.headers, "as the library asks, with the token of who is logged in"


def test_names_are_no_paths() -> None:
    names = ["Intel/dpt-large", "facebook/sam2.1-hiera-tiny"]
    paths = ["a/b/c", "/a/b", "./a", "~/a", "tiny", "a/", "../a/b", "a b/c"]
    assert [name for name in [*names, *paths] if hub.is_name(name)] == names


def test_what_is_no_model_says_what_it_lacks(fake: FakeHub) -> None:
    fake.files = {"config.json", "notes.json"}
    with pytest.raises(ModelError, match=r"it has no preprocessor_config\.json, model\.safetensors\.$"):
        hub.download(NAME)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_unknown_or_private_model_is_refused_before_anything_is_fetched(fake: FakeHub, status: int) -> None:
    fake.status = status
    with pytest.raises(ModelError, match=f"There is no model at .*/{NAME}, or it needs a login: check the name"):
        hub.download(NAME)
    assert names_in(fake.folder) == set()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (HFValidationError("Repo id must be ..."), "is not the name of a model: it must look like Intel/dpt-large"),
        (LocalEntryNotFoundError("no connection.\nlong story"), r"could not be downloaded \(no connection\): run the"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), r"could not be downloaded \(No space left on device\): run"),
    ],
    ids=["name", "network", "disk"],
)
def test_whatever_goes_wrong_is_one_sentence_with_a_way_out(fake: FakeHub, error: Exception, says: str) -> None:
    fake.error = error
    with pytest.raises(ModelError, match=says) as caught:
        hub.download(NAME)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "counts"),
    [
        (json.dumps({"architectures": ["DPTForDepthEstimation"]}), True),
        (json.dumps({"architectures": ["BertModel"]}), False),
        (json.dumps({"architectures": None}), False),
        ("{broken", False),
        (None, False),
    ],
    ids=["depth", "text", "none", "damaged", "absent"],
)
def test_what_is_cached_is_known_with_what_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str | None, counts: bool
) -> None:
    monkeypatch.setattr(hub, "cache_folder", lambda: tmp_path)
    snapshot = tmp_path / "models--some--model" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (tmp_path / "models--some--model" / "refs").mkdir()
    (tmp_path / "models--some--model" / "refs" / "main").write_text("0" * 40)
    (snapshot / "model.safetensors").write_bytes(bytes(123))
    if config is not None:
        (snapshot / "config.json").write_text(config)
    assert hub.cached() == {"some/model": (123 + len(config or ""), snapshot)}
    assert hub.is_depth_model(snapshot) == counts


def test_without_a_cache_nothing_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "cache_folder", lambda: tmp_path / "nowhere")
    assert hub.cached() == {}
