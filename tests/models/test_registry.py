from __future__ import annotations

import errno
import hashlib
import http.server
import json
import os
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import safetensors.torch
import segment_anything
import torch

from streamer.errors import ModelError
from streamer.models import registry, store
from streamer.models.catalog import CATALOG, SEGMENTER, ModelCard, WeightsFile
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.weights import checkpoints, download
from streamer.models.weights.random_weights import randomize_zeros

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; what it does wrong is set on the server."""

    def do_GET(self) -> None:
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        if server.status != 200:
            self.send_error(server.status)
            return
        body, asked = server.content, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and server.knows_ranges:
            body = body[int(asked[1]) :]
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.breaks_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.knows_ranges, server.breaks_after, server.status = CONTENT, True, None, 200
    server.ranges = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder, with a small file in the place of the official checkpoint of vit_b."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    file = WeightsFile("small.pth", "http://127.0.0.1:9", SHA256)
    monkeypatch.setitem(CATALOG, "vit_b", ModelCard(SEGMENTER, len(CONTENT), "none", "tests", file))
    return tmp_path / "cache"


def address(server: http.server.ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_download_reports_progress_and_happens_once(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = store.download("vit_b", address(server), lambda done, total: seen.append((done, total)))
    assert path == cache / "small.pth"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert os.listdir(cache) == ["small.pth"]
    store.download("vit_b", address(server))
    assert server.ranges == [None]


def test_a_broken_download_is_no_model_and_is_resumed(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    server.breaks_after = 400_000
    with pytest.raises(ModelError, match=r"the connection broke off.*run the same command again"):
        store.download("vit_b", address(server))
    assert os.listdir(cache) == ["small.pth.part"]
    server.breaks_after = None
    assert store.download("vit_b", address(server)).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=400000-"]


def test_a_server_without_ranges_starts_again(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    server.knows_ranges = False
    cache.mkdir()
    (cache / "small.pth.part").write_bytes(b"x" * 1000)
    assert store.download("vit_b", address(server)).read_bytes() == CONTENT


@pytest.mark.parametrize("left_over", [CONTENT, CONTENT + b"more"])
def test_a_part_that_is_whole_or_too_long(
    server: http.server.ThreadingHTTPServer, cache: Path, left_over: bytes
) -> None:
    cache.mkdir()
    (cache / "small.pth.part").write_bytes(left_over)
    assert store.download("vit_b", address(server)).read_bytes() == CONTENT
    assert len(server.ranges) == (0 if left_over == CONTENT else 1)


def test_damaged_content_is_thrown_away(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    server.content = b"x" * len(CONTENT)
    with pytest.raises(ModelError, match="is damaged and was thrown away: download it again"):
        store.download("vit_b", address(server))
    assert os.listdir(cache) == []


def test_a_damaged_checkpoint_is_found_and_replaced(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    cache.mkdir()
    (cache / "small.pth").write_bytes(b"y" * len(CONTENT))
    verdict = {check.name: check for check in store.check_files()}["vit_b"]
    assert not verdict.intact
    assert "streamer models pull vit_b" in verdict.message
    store.download("vit_b", address(server))
    assert {check.name: check.intact for check in store.check_files()}["vit_b"]


def test_a_refusing_server(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    server.status = 403
    with pytest.raises(ModelError, match=r"the server answered 403 .*or bring the file to .*small\.pth"):
        store.download("vit_b", address(server))


def test_no_network(server: http.server.ThreadingHTTPServer, cache: Path) -> None:
    with pytest.raises(
        ModelError, match=r"http://127\.0\.0\.1:9/small\.pth could not be downloaded .*refused"
    ) as error:
        store.download("vit_b", "http://127.0.0.1:9")
    assert str(cache / "small.pth") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_made(
    server: http.server.ThreadingHTTPServer, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelError, match=r"may not be written .*set STREAMER_CACHE"):
        store.download("vit_b", address(server))


def test_a_full_disk(server: http.server.ThreadingHTTPServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_transfer", fill)
    with pytest.raises(ModelError, match="The disk is full"):
        store.download("vit_b", address(server))


def test_unknown_names() -> None:
    with pytest.raises(ModelError, match="There is no model 'vit_x': did you mean vit_"):
        store.download("vit_x")
    with pytest.raises(ModelError, match="There is no segmenter 'vit_x'"):
        registry.load_segmenter(SegmenterParameters(model="vit_x"), "cpu")


def test_an_unknown_name_lists_the_known_and_the_near_ones() -> None:
    with pytest.raises(ModelError) as error:
        registry.load_segmenter(SegmenterParameters(model="sam2.1-hiera-tinny"), "cpu")
    assert str(error.value) == (
        "There is no segmenter 'sam2.1-hiera-tinny': did you mean facebook/sam2.1-hiera-tiny or sam2.1_hiera_tiny.pt "
        "or facebook/sam2.1-hiera-small? `streamer models list` shows all, or name a checkpoint file or a folder."
    )
    with pytest.raises(ModelError) as error:
        registry.load_depth(DepthParameters(model="dpt-hybrid-midas"), "cpu")
    assert str(error.value) == (
        "There is no depth model 'dpt-hybrid-midas': did you mean Intel/dpt-hybrid-midas? `streamer models list` shows "
        "all, or give another Hugging Face name or a folder."
    )
    with pytest.raises(ModelError, match=r"There is no segmenter 'qqq': choose one of tiny, vit_b, .*or name a"):
        registry.load_segmenter(SegmenterParameters(model="qqq"), "cpu")


def test_one_entry_registers_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter, estimator = object(), object()
    monkeypatch.setitem(registry.SEGMENTERS, "mine", lambda parameters, device: (segmenter, parameters, device))
    monkeypatch.setitem(registry.DEPTH_ESTIMATORS, "mine", lambda parameters, device: (estimator, parameters, device))
    wanted, depth = SegmenterParameters(model="mine"), DepthParameters(model="mine")
    assert registry.load_segmenter(wanted, "cpu") == (segmenter, wanted, "cpu")
    assert registry.load_depth(depth, "cpu") == (estimator, depth, "cpu")


def test_openvino_is_for_the_bundled_models() -> None:
    with pytest.raises(ModelError, match=r"segmenter.runtime=openvino is for the bundled model, and vit_b is another"):
        registry.load_segmenter(SegmenterParameters(model="vit_b", runtime="openvino"), "cpu")
    with pytest.raises(ModelError, match=r"set it to auto or torch, or depth.model to tiny"):
        registry.load_depth(DepthParameters(model="apple/DepthPro-hf", runtime="openvino"), "cpu")


def test_missing_weights_say_what_to_do(cache: Path) -> None:
    with pytest.raises(ModelError, match="streamer models pull vit_l") as error:
        registry.load_segmenter(SegmenterParameters(model="vit_l"), "cpu")
    assert "https://dl.fbaipublicfiles.com/segment_anything/sam_vit_l_0b3195.pth" in str(error.value)
    assert str(cache / "sam_vit_l_0b3195.pth") in str(error.value)


def small_vit(**changes: int) -> object:
    """Upstream's builder at a size that takes milliseconds."""
    from segment_anything.build_sam import _build_sam

    sizes = {"encoder_embed_dim": 32, "encoder_depth": 2, "encoder_num_heads": 2} | changes
    return _build_sam(**sizes, encoder_global_attn_indexes=[1])


@pytest.fixture
def small_vit_b(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(segment_anything.sam_model_registry, "vit_b", small_vit)
    monkeypatch.setattr(checkpoints, "ARCHITECTURE_OF_WIDTH", {32: "vit_b", 1280: "vit_h"})


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.usefixtures("small_vit_b")
def test_checkpoints_by_path_are_recognized(tmp_path: Path, suffix: str, old_format: bool) -> None:
    sam = small_vit()
    randomize_zeros(sam)
    path = tmp_path / f"mine{suffix}"
    if suffix == ".pth":
        torch.save(sam.state_dict(), path, _use_new_zipfile_serialization=not old_format)
    else:
        safetensors.torch.save_file(sam.state_dict(), path)
    loaded = checkpoints.load_sam(path)
    for (name, ours), theirs in zip(loaded.state_dict().items(), sam.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name
    assert torch.equal(loaded.pixel_mean, sam.pixel_mean)
    assert torch.equal(loaded.pixel_std, sam.pixel_std)
    assert registry.load_segmenter(SegmenterParameters(model=str(path)), "cpu").name == str(path)
    assert registry.load_segmenter(SegmenterParameters(model="vit_b", checkpoint=path), "cpu").name == "vit_b"
    with pytest.raises(ModelError, match="holds vit_b, not vit_h"):
        registry.load_segmenter(SegmenterParameters(model="vit_h", checkpoint=path), "cpu")


@pytest.mark.parametrize(
    ("wrap", "prefix"),
    [
        (lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]}, "epoch": 3}, ""),
        (lambda state: {"state_dict": state, "pytorch-lightning_version": "2.5"}, "model."),
        (lambda state: {"state_dict": state | {"loss.weight": torch.ones(2)}}, "sam."),
        (lambda state: state, "module."),
        (lambda state: {"model": {"state_dict": state}}, "module.sam."),
    ],
    ids=["optimizer", "lightning", "another module's", "parallel", "both"],
)
@pytest.mark.usefixtures("small_vit_b")
def test_what_trainings_save_is_unwrapped(tmp_path: Path, wrap: Callable[..., object], prefix: str) -> None:
    sam = small_vit()
    state = {f"{prefix}{name}": value for name, value in sam.state_dict().items()}
    torch.save(wrap(state), tmp_path / "tuned.ckpt")
    loaded = registry.load_sam(str(tmp_path / "tuned.ckpt"))
    for (name, ours), theirs in zip(loaded.state_dict().items(), sam.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name


@pytest.mark.usefixtures("small_vit_b")
def test_a_checkpoint_with_other_layers(tmp_path: Path) -> None:
    torch.save(small_vit(encoder_depth=3).state_dict(), tmp_path / "deep.pth")
    with pytest.raises(ModelError, match=r"does not fit SAM vit_b: .*blocks\.2"):
        checkpoints.load_sam(tmp_path / "deep.pth")


class Code:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("old_format", [False, True])
def test_a_checkpoint_with_code_is_refused_and_not_run(tmp_path: Path, old_format: bool) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "was-run"
    torch.save({"w": Code(trace)}, path, _use_new_zipfile_serialization=not old_format)
    with pytest.raises(ModelError, match="was refused because it holds code"):
        registry.load_segmenter(SegmenterParameters(model="vit_b", checkpoint=path), "cpu")
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Code(trace), protocol=2))
    with pytest.raises(ModelError, match=r"refused|damaged"):
        registry.load_segmenter(SegmenterParameters(model="vit_b", checkpoint=path), "cpu")
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 half a zip", b"\x80\x02x", b"\x00" * 300])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_checkpoints(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"seems damaged|is not a SAM checkpoint"):
        checkpoints.load_sam(path)


def test_files_that_are_no_sam(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="is not a SAM checkpoint: use one of vit_b"):
        checkpoints.load_sam(tmp_path / "other.pth")
    torch.save({"epoch": 3}, tmp_path / "epoch.pth")
    with pytest.raises(ModelError, match="must hold named tensors"):
        checkpoints.load_sam(tmp_path / "epoch.pth")
    with pytest.raises(ModelError, match="There is no checkpoint"):
        checkpoints.load_sam(tmp_path / "nowhere.pth")
    with pytest.raises(ModelError, match="cannot be read"):
        checkpoints.load_sam(tmp_path)


def test_list_shows_what_is_bundled_cached_and_available(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "hub" / "models--Intel--dpt-large" / "snapshots" / "0123456789012345678901234567890123456789"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text(json.dumps({"architectures": ["DPTForDepthEstimation"]}))
    (snapshot / "preprocessor_config.json").write_text("{}")
    monkeypatch.setattr(store.hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    cache.mkdir()
    (cache / "small.pth").write_bytes(CONTENT)
    (cache / "sam_vit_h_4b8939.pth.part").write_bytes(CONTENT)
    entries = {entry.name: entry for entry in store.list_models()}
    states = {name: entry.state for name, entry in entries.items()}
    assert set(states) == {"tiny", *CATALOG}
    assert (states["tiny"], states["vit_b"], states["vit_l"]) == ("bundled", "cached", "available")
    assert (states["vit_h"], states["Intel/dpt-large"]) == ("broken off", "broken off")
    assert entries["facebook/sam3"].gated
    assert all(entry.size_bytes and entry.licence and entry.good_for for entry in entries.values())
    verdicts = {check.name: check for check in store.check_files()}
    assert verdicts["vit_b"].intact
    assert "lacks model.safetensors" in verdicts["Intel/dpt-large"].message
    (snapshot / "model.safetensors").write_bytes(b"")
    assert {check.name: check.intact for check in store.check_files()}["Intel/dpt-large"]


def test_depth_models_are_not_asked_for_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        ModelError, match=r"127\.0\.0\.1:9/Intel/dpt-large could not be downloaded .*folder as the model"
    ):
        store.download("Intel/dpt-large")


def test_the_cache_moves_with_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path))
    assert store.checkpoint_path("vit_h").parent == tmp_path
    monkeypatch.delenv("STREAMER_CACHE")
    assert store.checkpoint_path("vit_h").parent.name == "streamer"


def test_an_official_file_is_known_by_its_own_name(cache: Path) -> None:
    for name in ("sam_vit_l_0b3195.pth", "sam2.1_hiera_small.pt", "mobile_sam.pt"):
        with pytest.raises(ModelError, match=r"weights of .* are not here: run `streamer models pull"):
            registry.load_segmenter(SegmenterParameters(model=name), "cpu")


def test_the_bundled_models_load() -> None:
    import numpy as np

    image = np.zeros((72, 128, 3), np.uint8)
    segmenter = registry.load_segmenter(SegmenterParameters(), "cpu")
    assert segmenter.encode(image).image_size == (128, 72)
    assert registry.load_depth(DepthParameters(), "cpu").estimate(image).shape == (72, 128)
