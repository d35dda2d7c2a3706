"""The other commands, the library, and the package."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.end_to_end.conftest import frames_of, names_in
from tests.videos import make_video

PROJECT = Path(__file__).parents[2]


def test_the_demo_writes_a_video_and_says_how_good_it_is(command, tmp_path):
    done = command("demo", "--frames", "20")
    assert (done.code, done.err) == (0, "")
    times_s, images = frames_of(tmp_path / "recordings" / "demo.mp4")
    assert len(times_s) == 20
    assert images[0].shape[1] == 2 * 1280
    assert "wrote recordings/demo.mp4" in done.out
    assert re.search(r"rate: \d+\.\d fps", done.out)
    assert 0 <= float(re.search(r"mean IoU (\d\.\d+) of \d+ objects", done.out).group(1)) <= 1
    assert float(re.search(r"AbsRel (\d+\.\d+)", done.out).group(1)) > 0


def test_doctor_looks_at_everything(inside, monkeypatch):
    monkeypatch.setenv("DISPLAY", "")
    done = inside("doctor")
    assert (done.code, done.err) == (0, "")
    for part in ("python", "torch", "torchvision", "device", "runtime", "codec", "camera", "display", "models", "disk"):
        assert re.search(rf"^{part} +(ok|missing) ", done.out, re.MULTILINE), part
    assert "the bundled ones load" in done.out


def test_models_are_listed_and_checked(inside, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    listed = inside("models", "list")
    assert listed.code == 0
    for name, state in (("tiny", "bundled"), ("vit_b", "available"), ("vit_l", "available"), ("vit_h", "available")):
        assert re.search(rf"^{name} .*{state}", listed.out, re.MULTILINE)
    assert str(tmp_path / "cache") in listed.out
    assert inside("models", "check").code == 0
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "sam_vit_b_01ec64.pth").write_bytes(b"broken off")
    checked = inside("models", "check")
    assert checked.code == 1
    assert "sam_vit_b_01ec64.pth is damaged: delete" in checked.out
    assert checked.err.count("\n") == 1


@pytest.mark.parametrize("name", ["vit_b", "Intel/dpt-large"])
def test_without_a_network_one_sentence_says_what_to_bring_where(inside, tmp_path, monkeypatch, name):
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", None)  # urlopen keeps the proxies of its first call
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    done = inside("models", "pull", name)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"streamer: https://.* could not be downloaded \(.*\): run .*, or bring .* to .*\.\n", done.err)
    assert names_in(tmp_path) == []


def test_a_big_preset_without_its_weights_says_how_to_get_them(inside, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    make_video(tmp_path / "a.mp4", 3)
    done = inside("annotate", "a.mp4", "--config", "sam-b", "-o", "out.mp4")
    assert done.code == 2
    assert "run `streamer models pull vit_b`" in done.err
    assert done.err.count("\n") == 1
    assert names_in(tmp_path) == ["a.mp4"]


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
    (example,) = [block for block in blocks if block.startswith("import streamer")]
    make_video(tmp_path / "clip.mp4", 3, size=(1280, 720))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) >= 3


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import streamer; streamer.Prompt, streamer.Config, streamer.Result, streamer.load",
            ["torch", "transformers"],
        ),
        ("from streamer.__main__ import main; main()", ["torch", "transformers", "cv2", "av"]),
        (
            "import numpy, streamer\n"
            "with streamer.load('tiny') as engine: list(engine.run([numpy.zeros((64, 64, 3), numpy.uint8)]))\n"
            "from streamer.models.tiny.weights import load_words; load_words()",
            ["timm", "torchvision", "transformers", "torch._dynamo", "sympy", "scipy", "pandas", "matplotlib"],
        ),
    ],
    ids=["import", "help", "models"],
)
def test_what_is_slow_is_not_imported_before_it_is_needed(code, absent):
    report = f"import sys, atexit; atexit.register(lambda: print('LOADED', [m for m in {absent} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{report}\n{code}", "--help"], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED []"
