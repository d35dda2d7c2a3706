import json
import os
from pathlib import Path

import pytest

from streamer.errors import SinkError
from streamer.sinks.outputs import Claim, make_folder, make_room, partial_path, replacing, write_json


def test_replacing_shows_the_final_name_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("whole")
        assert partial == tmp_path / "new" / "a.partial.txt"
        assert not path.exists()
    assert path.read_text() == "whole"
    assert not partial.exists()


def test_replacing_keeps_the_old_file_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_replacing_names_the_path_and_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def fail() -> None:
        with replacing(path):
            raise OSError(28, "No space left on device")

    with pytest.raises(SinkError, match=r"a\.txt cannot be written \(No space left on device\): free some space"):
        fail()


def test_a_folder_is_no_file_and_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="is a folder: give the name of a file"):
        make_room(tmp_path)
    with pytest.raises(SinkError, match="a file has that name"):
        make_folder(tmp_path / "file")
    with pytest.raises(SinkError, match="Not a directory"):
        make_room(tmp_path / "file" / "sub" / "a.mp4")


def test_a_pipe_is_written_in_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    assert partial_path(tmp_path / "a.jsonl") == tmp_path / "a.jsonl"


def test_an_output_that_another_run_writes_is_refused(tmp_path: Path) -> None:
    first = Claim(tmp_path / "a.mp4")
    with pytest.raises(SinkError, match=r"a\.mp4 is being written by another run: choose another name\."):
        Claim(tmp_path / "a.mp4")
    first.release()
    assert Claim(tmp_path / "a.mp4").path == tmp_path / "a.partial-2.mp4"


def test_what_a_killed_run_left_is_kept_even_if_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.partial.mp4").touch()
    claim = Claim(tmp_path / "a.mp4")
    assert claim.path == tmp_path / "a.partial-2.mp4"
    claim.remove()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.mp4"]


def test_a_file_whose_own_name_ends_in_partial_is_kept(tmp_path: Path) -> None:
    (tmp_path / "x.partial.png").write_text("a mask")
    with replacing(tmp_path / "x.png") as partial:
        partial.write_text("another")
    assert (tmp_path / "x.partial.png").read_text() == "a mask"
    assert (tmp_path / "x.png").read_text() == "another"


@pytest.mark.parametrize("letter", ["n", "\u00e9"])
def test_names_as_long_as_a_disk_takes_them(tmp_path: Path, letter: str) -> None:
    path = tmp_path / (letter * (250 // len(letter.encode())) + ".txt")
    with replacing(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"


def test_a_document_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "figures.json"
    write_json(path, {"rate_hz": 29.97, "rows": [1, 2]})
    assert json.loads(path.read_text()) == {"rate_hz": 29.97, "rows": [1, 2]}
    with pytest.raises(TypeError):
        write_json(path, {"rows": object()})
    assert json.loads(path.read_text())["rows"] == [1, 2]
    assert list(path.parent.iterdir()) == [path]
