import os
from pathlib import Path

import pytest

from streamer.errors import SinkError
from streamer.sinks.outputs import make_folder, make_room, partial_path, replacing


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
