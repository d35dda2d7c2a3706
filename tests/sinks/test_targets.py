"""Where the results of a run go."""

from pathlib import Path

import pytest

from streamer.data.source import SourceInfo
from streamer.errors import SinkError
from streamer.sinks.outputs import STDOUT
from streamer.sinks.targets import Targets

VIDEO = SourceInfo("dog", (64, 48), path=Path("in/dog.mov"))
PHOTO = SourceInfo("cat", (64, 48), still=True, path=Path("in/cat.jpg"))


def test_a_folder_gets_a_name_that_suits_the_source(tmp_path):
    targets = Targets(tmp_path)
    assert targets.is_folder
    assert targets.of(VIDEO, several=False).output == tmp_path / "dog-annotated.mp4"
    assert targets.of(PHOTO, several=False).output == tmp_path / "cat-annotated.png"
    assert Targets(tmp_path / "new").is_folder
    assert not Targets(tmp_path / "new.mp4").is_folder


def test_a_clip_of_the_same_name_takes_nothing_away(tmp_path):
    assert Targets(tmp_path).of(VIDEO, several=False).output == tmp_path / "dog-annotated.mp4"
    (tmp_path / "dog-annotated.mp4").touch()
    assert Targets(tmp_path).of(VIDEO, several=False).output == tmp_path / "dog-annotated-2.mp4"


def test_a_folder_in_the_place_of_a_file_is_refused_at_once(tmp_path):
    for targets in (Targets(jsonl=tmp_path), Targets(stats=tmp_path)):
        with pytest.raises(SinkError, match="is a folder: give the name of a file in it"):
            targets.of(VIDEO, several=False)


def test_several_sources_get_names_of_their_own(tmp_path):
    folders = tmp_path / "masks", tmp_path / "depth"
    files = tmp_path / "lines.jsonl", tmp_path / "stats.json", tmp_path / "log.mcap", tmp_path / "log.rrd"
    targets = Targets(tmp_path, *folders, *files)
    assert list(targets.of(VIDEO, several=True)) == [
        *(tmp_path / "dog-annotated.mp4", tmp_path / "masks" / "dog", tmp_path / "depth" / "dog"),
        *(tmp_path / "lines-dog.jsonl", tmp_path / "stats-dog.json"),
        *(tmp_path / "log-dog.mcap", tmp_path / "log-dog.rrd"),
    ]
    assert list(targets.of(VIDEO, several=False))[1:] == list(targets)[1:]


def test_of_several_sources_data_sets_and_clouds_are_in_folders_of_their_own_too(tmp_path):
    folders, files = ("points", "yolo", "cutout"), {"depth_video": "d.mkv", "coco": "c.json", "matte": "m.mov"}
    named = {name: tmp_path / name for name in folders} | {name: tmp_path / file for name, file in files.items()}
    apart = Targets(**named).of(VIDEO, several=True)
    assert [getattr(apart, name) for name in folders] == [tmp_path / name / "dog" for name in folders]
    beside = [tmp_path / name for name in ("d-dog.mkv", "c-dog.json", "m-dog.mov")]
    assert [apart.depth_video, apart.coco, apart.matte] == beside
    for name, path in named.items():
        path.mkdir()
        if name in files:
            with pytest.raises(SinkError, match="is a folder: give the name of a file in it"):
                Targets(**{name: path}).of(VIDEO, several=False)
        else:
            assert list(Targets(**{name: path}).of(VIDEO, several=False)) == [path]


def test_what_was_written_is_what_is_there(tmp_path):
    (tmp_path / "a.mp4").touch()
    assert Targets(tmp_path / "a.mp4", jsonl=tmp_path / "b.jsonl").written() == [str(tmp_path / "a.mp4")]
    assert Targets(tmp_path / "b.mp4", jsonl=STDOUT).written() == ["the standard output"]
    assert not Targets()
    assert Targets(stats=tmp_path / "s.json")


@pytest.mark.parametrize("name", ["out.avi", "out.mp3", "out.txt"])
def test_a_suffix_that_cannot_be_written_is_refused(name):
    with pytest.raises(SinkError, match=r"end its name in \.mp4, \.mkv"):
        Targets(Path(name)).check(several=False)


def test_one_file_for_several_sources_is_refused():
    with pytest.raises(SinkError, match="name a folder with -o"):
        Targets(Path("out.mp4")).check(several=True)


def test_what_is_left_out_cannot_be_written(tmp_path):
    with pytest.raises(SinkError, match="no masks to write to --masks"):
        Targets(masks=tmp_path).check(several=False, masks=False)
    with pytest.raises(SinkError, match="no depth to write to --depth-maps"):
        Targets(depth_maps=tmp_path).check(several=False, depth=False)


def test_the_standard_output_is_no_place_and_takes_one_source_only(tmp_path):
    targets = Targets(jsonl=STDOUT)
    assert targets.take_stdout
    assert not Targets(jsonl=tmp_path / "-").take_stdout
    assert list(targets.of(VIDEO, several=False)) == [STDOUT]
    targets.check(several=False)
    with pytest.raises(SinkError, match="would run together on the standard output"):
        targets.check(several=True)


def test_kinds_do_not_mix_and_the_source_is_safe(tmp_path):
    with pytest.raises(SinkError, match="dog is no single picture"):
        Targets(tmp_path / "out.png").of(VIDEO, several=False)
    with pytest.raises(SinkError, match="cat is one picture"):
        Targets(tmp_path / "out.mp4").of(PHOTO, several=False)
    source = SourceInfo("a", (64, 48), path=tmp_path / "sub" / ".." / "a.mp4")
    with pytest.raises(SinkError, match="is the source itself"):
        Targets(tmp_path / "a.mp4").of(source, several=False)


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="file is a file"):
        Targets(jsonl=tmp_path / "file" / "deep" / "out.jsonl").of(VIDEO, several=False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_two_outputs_do_not_share_a_place(tmp_path):
    with pytest.raises(SinkError, match="is named twice: give each output a place of its own"):
        Targets(jsonl=tmp_path / "a.json", stats=tmp_path / "x" / ".." / "a.json").check(several=False)
    with pytest.raises(SinkError, match="is named twice"):
        Targets(masks=tmp_path, depth_maps=tmp_path).check(several=False)


def test_nothing_is_written_over_the_source(tmp_path):
    video = SourceInfo("a", (64, 48), path=tmp_path / "a.mp4")
    for name in ("jsonl", "stats", "masks"):
        with pytest.raises(SinkError, match="is the source itself"):
            Targets(**{name: tmp_path / "a.mp4"}).of(video, several=False)
    images = SourceInfo("pictures", (64, 48), folders=frozenset({tmp_path.resolve()}))
    for name in ("masks", "depth_maps"):
        with pytest.raises(SinkError, match="choose another folder, so that they stay"):
            Targets(**{name: tmp_path}).of(images, several=False)
    assert Targets(masks=tmp_path / "masks").of(images, several=False)


def test_a_missing_library_is_said_before_anything_slow_begins(tmp_path, monkeypatch):
    monkeypatch.setattr("streamer.sinks.optional.find_spec", lambda name: None)
    wanted = {
        "--mcap .* `uv pip install mcap-ros2-support`": Targets(mcap=tmp_path / "a.mcap"),
        "--rerun .* `uv pip install rerun-sdk`": Targets(rerun=tmp_path / "a.rrd"),
        "--foxglove .* `uv pip install foxglove-sdk mcap-ros2-support`": Targets(viewers=frozenset({"foxglove"})),
    }
    for message, targets in wanted.items():
        with pytest.raises(SinkError, match=message):
            targets.check(several=False)


def test_a_viewer_is_enough_to_run_for():
    assert Targets(viewers=frozenset({"foxglove"}))
    assert list(Targets(viewers=frozenset({"foxglove"}))) == []
