"""Folders, patterns and manifests become videos, each with a name of its own."""

import pytest

from streamer.batch.listing import entries_of
from streamer.errors import ConfigError, SourceError


@pytest.fixture
def videos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.MOV", "b.mkv", "notes.txt", ".hidden.mp4", "day/a.mp4", "out/a-annotated.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("0.png", "1.png"):
        (tmp_path / "videos" / "stills").mkdir(exist_ok=True)
        (tmp_path / "videos" / "stills" / name).touch()
    return tmp_path / "videos"


def listed(*sources, outside):
    return {entry.name: entry.source for entry in entries_of([str(source) for source in sources], outside)}


def test_a_folder_is_every_video_in_it_and_every_folder_of_pictures(videos):
    found = listed(videos, outside=videos / "out")
    assert found == {
        "a": str(videos / "a.mp4"),
        "b.MOV": str(videos / "b.MOV"),
        "b.mkv": str(videos / "b.mkv"),
        "day/a": str(videos / "day/a.mp4"),
        "stills": str(videos / "stills"),
    }


def test_the_same_name_twice_is_numbered(videos):
    found = listed(videos / "a.mp4", videos / "day/a.mp4", outside=videos / "out")
    assert list(found) == ["a.mp4", "a.mp4-2"]


def test_a_manifest_says_paths_names_and_options(videos):
    (videos / "list.csv").write_text('path,name,point,no-depth\na.mp4,first,"1,2; 2:3,4",\nday/a.mp4,,,yes\n,,,\n')
    first, second = sorted(entries_of([str(videos / "list.csv")], videos / "out"), key=lambda entry: entry.place)
    assert (first.name, first.source, first.options) == ("first", str(videos / "a.mp4"), {"point": "1,2; 2:3,4"})
    assert (second.name, second.options) == ("a", {"no-depth": "yes"})
    assert second.place.endswith("list.csv, line 3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("video\na.mp4\n", "has no column 'path'"),
        ("path,point\na.mp4,1,2\n", "more values than columns"),
        ("path,point\n,1\n", "there is no path"),
        ("path,name\na.mp4,../../a\n", "leads out of the folder"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(videos, text, said):
    (videos / "list.csv").write_text(text)
    with pytest.raises(ConfigError, match=said):
        entries_of([str(videos / "list.csv")], videos / "out")


@pytest.mark.parametrize("source", ["nothing.mp4", "empty", "0", "rtsp://camera/1", "-"])
def test_what_is_no_recording_is_refused(videos, source):
    (videos.parent / "empty").mkdir()
    with pytest.raises(SourceError):
        entries_of([source], videos / "out")
