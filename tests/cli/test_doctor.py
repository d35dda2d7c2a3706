"""What doctor says about what is broken."""

import pytest

from streamer.cli import doctor
from streamer.cli.doctor import Finding
from streamer.models.runtime.installation import mismatch


def test_a_torchvision_that_does_not_fit_is_recognized():
    advice = mismatch("operator torchvision::nms does not exist", "2.13.0+cpu")
    assert "built for another torch than 2.13.0+cpu" in advice
    assert "uv pip install --reinstall 'torch==2.13.*' 'torchvision==0.28.*'" in advice
    assert (
        mismatch("libcuda.so: no such file", "2.13.0")
        == "it cannot be imported (libcuda.so: no such file): run `uv sync`"
    )


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("missing", 0), ("broken", 1)])
def test_only_what_is_broken_fails(monkeypatch, capsys, verdict, code):
    def look_at_something():
        return [Finding("something", verdict, "how [it] is")]

    monkeypatch.setattr(doctor, "LOOKS", (look_at_something,))
    assert doctor.examine() == code
    words = capsys.readouterr().out.split()
    assert words == ["something", verdict, "how", "[it]", "is"]


def test_a_look_that_fails_is_a_finding(monkeypatch, capsys):
    def look_at_the_moon():
        raise OSError("cloudy")

    monkeypatch.setattr(doctor, "LOOKS", (look_at_the_moon,))
    assert doctor.examine() == 1
    assert "the moon" in (out := capsys.readouterr().out)
    assert "OSError: cloudy" in out
