"""Files of several tracks: the video that a player would choose, and everything else comes along."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from streamer.errors import SourceError
from streamer.sources.file import VideoSource
from tests.videos import make_video
from tests.writing import make_source, read, write

SUBTITLES = "1\n00:00:00,100 --> 00:00:00,500\nHello\n\n2\n00:00:00,600 --> 00:00:00,900\nWorld\n"


def join(path: Path, *sources: Path, default: int | None = None) -> Path:
    """The tracks of several files in one, one of them the default."""
    containers = [av.open(str(source)) for source in sources]
    with av.open(str(path), "w") as target:
        streams = [target.add_stream_from_template(container.streams[0]) for container in containers]
        for number, stream in enumerate(streams):
            stream.disposition = Disposition.default if number == default else Disposition(0)
        for container, stream in zip(containers, streams, strict=True):
            for packet in container.demux(container.streams[0]):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    for container in containers:
        container.close()
    return path


def cover(path: Path) -> Path:
    """A PNG as a track of its own that nothing marks as a cover."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 200, 200, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((200, 200, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_cover_before_the_video_is_not_taken_for_it(tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.mkv", 12)
    source = VideoSource(join(tmp_path / "clip.mov", cover(tmp_path / "cover.mov"), film))
    assert (source.info.size, source.info.notice) == ((64, 48), None)
    assert len(list(iter(source.read, None))) == 12


@pytest.mark.parametrize(("default", "size"), [(None, (64, 48)), (0, (64, 48)), (1, (80, 60))])
def test_the_default_video_is_taken_and_told(tmp_path: Path, default: int | None, size: tuple[int, int]) -> None:
    films = [make_video(tmp_path / f"{width}.mkv", 4, size=(width, height)) for width, height in ((64, 48), (80, 60))]
    path = join(tmp_path / "clip.mkv", *films, default=default)
    with VideoSource(path) as source:
        assert source.info.size == size
        number = 2 if size == (80, 60) else 1
        assert source.info.notice == f"{path} holds 2 videos, of which number {number} is used (--video-track)."
    for number, named in ((1, (64, 48)), (2, (80, 60))):
        with VideoSource(path, video_track=number) as source:
            assert (source.info.size, source.info.notice) == (named, None)
    with pytest.raises(SourceError, match=r"has no video track 3: choose one from 1 to 2\."):
        VideoSource(path, video_track=3)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A Matroska file with a title, chapters, two sounds, the second the default, and subtitles."""
    (tmp_path / "text.srt").write_text(SUBTITLES)
    whole = make_source(tmp_path / "whole.mp4")
    with (
        av.open(str(whole)) as source,
        av.open(str(tmp_path / "text.srt")) as text,
        av.open(str(tmp_path / "film.mkv"), "w") as target,
    ):
        video, english, german = (target.add_stream_from_template(source.streams[index]) for index in (0, 1, 1))
        subtitles = target.add_stream_from_template(text.streams[0])
        english.metadata["language"], german.metadata["language"] = "eng", "deu"
        german.metadata["title"], subtitles.metadata["language"] = "Kommentar", "fra"
        video.disposition = german.disposition = Disposition.default
        english.disposition = Disposition(0)
        target.metadata["title"] = "A film"
        marks = [(0, 500, "One"), (500, 1500, "Two")]
        target.set_chapters(
            [
                {"id": n, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                for n, (a, b, title) in enumerate(marks)
            ]
        )
        for packet in [*source.demux(0), *text.demux()]:
            if packet.size and packet.stream.type != "audio":
                packet.stream = video if packet.stream.type == "video" else subtitles
                target.mux(packet)
        for stream in (english, german):
            source.seek(0)
            for packet in source.demux(source.streams.audio[0]):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    return tmp_path / "film.mkv"


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sounds_languages_title_chapters_and_subtitles_come_along(tmp_path: Path, film: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    sink = write(path, [index / 20 for index in range(30)], rate_hz=Fraction(20), audio_from=film)
    assert len(read(path)[0]) == 30
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "A film"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One", "Two"]
        assert [stream.metadata.get("language") for stream in container.streams.audio] == ["eng", "deu"]
        assert [bool(stream.disposition & Disposition.default) for stream in container.streams.audio] == [False, True]
        assert container.streams.subtitles[0].metadata["language"] == "fra"
        if suffix == ".mkv":
            assert container.streams.audio[1].metadata["title"] == "Kommentar"
    assert texts_of(path) == [(Fraction(1, 10), b"Hello"), (Fraction(3, 5), b"World")]
    assert sink.warning is None


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "mov_text"), (".webm", "webvtt"), (".mkv", "srt")])
def test_subtitles_are_written_anew_where_a_container_has_words_of_its_own(
    tmp_path: Path, film: Path, suffix: str, codec: str
) -> None:
    write(tmp_path / "other.mp4", [index / 20 for index in range(30)], rate_hz=Fraction(20), audio_from=film)
    path = tmp_path / f"out{suffix}"
    times_s = [index / 20 for index in range(30)]
    write(path, times_s, rate_hz=Fraction(20), audio_from=tmp_path / "other.mp4")
    with av.open(str(path)) as container:
        assert container.streams.subtitles[0].codec_context.name == codec
    assert texts_of(path) == [(Fraction(1, 10), b"Hello"), (Fraction(3, 5), b"World")]


def texts_of(path: Path) -> list[tuple[Fraction, bytes]]:
    """When which subtitles are shown."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        shown = [(packet, stream.codec_context.decode2(packet)) for packet in container.demux(stream) if packet.size]
        return [(packet.pts * packet.time_base, text.dialogue) for packet, texts in shown for text in texts or ()]
