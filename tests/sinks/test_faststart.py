"""The index comes first, and nothing else changes: every packet is where the index says."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamer.sinks.faststart import index_first
from tests.videos import make_video
from tests.writing import audio, write


def packets_of(path: Path):
    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, p.dts, p.duration, bytes(p)) for p in container.demux() if p.size]


def boxes_of(path: Path) -> list[bytes]:
    data, place, names = path.read_bytes(), 0, []
    while place < len(data):
        names.append(data[place + 4 : place + 8])
        place += int.from_bytes(data[place : place + 4], "big")
    return names


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
def test_the_index_is_moved_and_every_packet_stays(tmp_path, suffix):
    source, target = make_video(tmp_path / f"a{suffix}", 30, audio=True), tmp_path / f"b{suffix}"
    before = packets_of(source)
    assert index_first(source, target)
    assert boxes_of(target)[:2] == [b"ftyp", b"moov"]
    assert target.stat().st_size == source.stat().st_size
    assert packets_of(target) == before
    assert not index_first(target, tmp_path / f"c{suffix}"), "it is in front already"


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", bytes(100)])
def test_what_is_no_such_file_is_left_alone(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    assert not index_first(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_a_file_cut_off_anywhere_is_left_alone_or_right(tmp_path):
    content = make_video(tmp_path / "a.mp4", 10).read_bytes()
    for length in range(0, len(content), 97):
        (tmp_path / "cut.mp4").write_bytes(content[:length])
        assert not index_first(tmp_path / "cut.mp4", tmp_path / "b.mp4")


def test_what_is_recorded_has_its_index_in_front(tmp_path):
    source = make_video(tmp_path / "source.mp4", 12, audio=True)
    write(tmp_path / "out.mp4", [index / 25 for index in range(12)], audio_from=source, rate_hz=Fraction(25))
    names = boxes_of(tmp_path / "out.mp4")
    assert names.index(b"moov") < names.index(b"mdat")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(list(container.decode(video=0))) == 12
    assert len(audio(tmp_path / "out.mp4")) == len(audio(source))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "source.mp4"]
