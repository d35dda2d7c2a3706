"""A sidecar says whether there is anything left to do."""

from pathlib import Path

import pytest

from streamer.batch.order import fingerprint
from streamer.batch.record import Record, State, sidecar
from streamer.config import load


def test_what_is_written_is_read_again(tmp_path):
    record = Record("day/a", "a.mp4", State.DAMAGED, "cut off", 2, "f", ("a.mp4",), 7, figures={"x": [1.5]})
    record.write(sidecar(tmp_path, "day/a"))
    assert (tmp_path / "day" / "a.batch.json").exists()
    assert Record.read(sidecar(tmp_path, "day/a"), "day/a", "a.mp4") == record


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"state": "lost"}', '{"state": "finished", "outputs": 3}'])
def test_a_sidecar_that_cannot_be_read_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "a.batch.json").write_text(text)
    assert Record.read(tmp_path / "a.batch.json", "a", "a.mp4") == Record("a", "a.mp4")


def test_it_is_done_only_with_these_settings_and_while_its_outputs_are_there(tmp_path):
    record = Record("a", "a.mp4", State.FINISHED, fingerprint="f", outputs=("a.mp4",))
    assert not record.is_done("f", tmp_path)
    (tmp_path / "a.mp4").touch()
    assert record.is_done("f", tmp_path)
    assert not record.is_done("g", tmp_path)
    assert not Record("a", "a.mp4", State.QUARANTINED, fingerprint="f").is_done("f", tmp_path)


def test_the_fingerprint_changes_with_settings_options_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video, mask = Path("a.mp4"), Path("mask.png")
    video.write_bytes(b"1"), mask.write_bytes(b"1")
    first = fingerprint(load("tiny"), {"init_mask": mask, "points": ["1,2"]}, "a.mp4")
    assert first == fingerprint(load("tiny"), {"points": ["1,2"], "init_mask": mask.resolve()}, str(video.resolve()))
    others = [
        fingerprint(load("tiny", "video.crf=21"), {"init_mask": mask, "points": ["1,2"]}, "a.mp4"),
        fingerprint(load("tiny"), {"init_mask": mask, "points": ["1,3"]}, "a.mp4"),
    ]
    mask.write_bytes(b"22")
    others.append(fingerprint(load("tiny"), {"init_mask": mask, "points": ["1,2"]}, "a.mp4"))
    video.write_bytes(b"22")
    others.append(fingerprint(load("tiny"), {"init_mask": mask, "points": ["1,2"]}, "a.mp4"))
    assert len({first, *others}) == 5
