"""Videos as they are found: of variable rate, turned, with sound, cut off, damaged, and not videos at all."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Callable
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.data.frame import Frame
from streamer.errors import SourceError
from streamer.sources.file import VideoSource
from tests.videos import make_video, number_of, numbered_image

CLIPS = Path(__file__).parent.parent.parent / "shared" / "data" / "clips"


def read_all(source: VideoSource) -> list[Frame]:
    frames = list(iter(source.read, None))
    source.close()
    return frames


def numbers(frames: list[Frame]) -> list[int]:
    return [number_of(frame.image_rgb) for frame in frames]


def test_every_frame_comes_once_in_order_with_its_time(tmp_path: Path) -> None:
    rate_hz = Fraction(30000, 1001)
    source = VideoSource(make_video(tmp_path / "clip.mp4", 12, rate_hz=rate_hz))
    frames = read_all(source)
    assert numbers(frames) == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([n / float(rate_hz) for n in range(12)], abs=1e-4)
    assert source.info.rate_hz == rate_hz
    assert (source.info.name, source.info.size, source.info.frame_count) == ("clip", (64, 48), 12)


def test_a_video_that_announces_one_frame_may_have_more(tmp_path: Path) -> None:
    source = VideoSource(make_video(tmp_path / "clip.mp4", 1))
    assert source.info.frame_count == 1
    assert not source.info.is_alone
    source.close()
    assert source.info.path == tmp_path / "clip.mp4"
    assert source.damage is None


def test_colors_are_those_that_were_encoded(tmp_path: Path) -> None:
    [frame] = read_all(VideoSource(make_video(tmp_path / "clip.mp4", 1)))
    assert frame.image_rgb.flags.c_contiguous
    assert np.abs(frame.image_rgb[2:8, 2:12].astype(int) - (200, 20, 20)).max() < 12


def test_variable_rate_stays_variable(tmp_path: Path) -> None:
    times_ms = [0, 40, 50, 200, 201, 1000]
    frames = read_all(VideoSource(make_video(tmp_path / "clip.mp4", 6, times_ms=times_ms)))
    assert [frame.time_s for frame in frames] == pytest.approx([t / 1000 for t in times_ms], abs=1e-4)
    assert numbers(frames) == list(range(6))


@settings(max_examples=12, deadline=None)
@given(
    steps_ms=st.lists(st.integers(1, 3000), min_size=3, max_size=12),
    start_ms=st.integers(0, 100_000),
    suffix=st.sampled_from([".mp4", ".mkv", ".ts"]),
)
def test_any_times_come_out_within_a_tick(steps_ms: list[int], start_ms: int, suffix: str) -> None:
    times_ms = [start_ms + sum(steps_ms[:count]) for count in range(len(steps_ms) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = make_video(Path(folder) / f"clip{suffix}", len(times_ms), times_ms=times_ms)
        with VideoSource(path) as source:
            frames = list(iter(source.read, None))
            assert source.damage is None
    assert numbers(frames) == [number_of(numbered_image(number)) for number in range(len(times_ms))]
    expected_s = [(time_ms - start_ms) / 1000 for time_ms in times_ms]
    assert [frame.time_s for frame in frames] == pytest.approx(expected_s, abs=1.1e-3)


def test_frames_that_are_coded_out_of_order_come_at_a_steady_pace_in_avi(tmp_path: Path) -> None:
    frames = read_all(VideoSource(make_video(tmp_path / "clip.avi", 24)))
    assert numbers(frames) == list(range(24))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(np.full(23, 0.04))


def test_time_counts_from_the_start_of_the_video_stream(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mkv", 3, times_ms=[5000, 5040, 5080])
    assert [frame.time_s for frame in read_all(VideoSource(path))] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_turned_video_is_shown_upright(tmp_path: Path, rotation: int) -> None:
    source = VideoSource(make_video(tmp_path / "clip.mp4", 2, rotation=rotation))
    upright = np.rot90(numbered_image(1), rotation // 90)
    frame = read_all(source)[1]
    assert frame.size == source.info.size == (upright.shape[1], upright.shape[0])
    assert np.abs(frame.image_rgb.astype(int) - upright).mean() < 6
    assert frame.image_rgb.flags.c_contiguous


def test_pixels_that_are_not_square_widen_the_frame(tmp_path: Path) -> None:
    source = VideoSource(make_video(tmp_path / "clip.mp4", 2, pixel_aspect=Fraction(4, 3)))
    assert source.info.size == (86, 48)
    assert {frame.size for frame in read_all(source)} == {(86, 48)}


def test_sound_is_left_alone(tmp_path: Path) -> None:
    source = VideoSource(make_video(tmp_path / "clip.mp4", 12, audio=True))
    assert numbers(read_all(source)) == list(range(12))
    assert source.damage is None


@pytest.mark.parametrize("size", [(66, 50), (70, 34)])
def test_sizes_that_fit_no_block_are_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    [frame] = read_all(VideoSource(make_video(tmp_path / "clip.mp4", 1, size=size)))
    assert frame.size == size


@pytest.mark.parametrize(("name", "options"), [("clip.mp4", {"movflags": "faststart"}), ("clip.mkv", {})])
def test_what_is_left_of_a_cut_off_video_is_read(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    path = make_video(tmp_path / name, 60, size=(320, 240), options=options)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    source = VideoSource(path)
    frames = read_all(source)
    assert 6 < len(frames) < 60
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert source.damage is not None
    assert "is cut off" in source.damage
    assert source.damage.count(". ") == 0


def test_a_matroska_file_that_starts_late_is_whole(tmp_path: Path) -> None:
    """Its DURATION is when the track ends. So are the later parts that FFmpeg's segmenter writes."""
    path = make_video(tmp_path / "clip.mkv", 25, times_ms=[1000 + 40 * number for number in range(25)])
    source = VideoSource(path)
    frames = read_all(source)
    assert (len(frames), source.info.frame_count) == (25, 25)
    assert frames[0].time_s == 0
    assert source.damage is None


@pytest.mark.parametrize("lost", [2, 5, 10])
def test_a_matroska_file_cut_by_a_few_frames_is_told(tmp_path: Path, lost: int) -> None:
    path = make_video(tmp_path / "clip.mkv", 50, options={"cluster_time_limit": "100"})
    with av.open(str(path)) as container:
        places = sorted(packet.pos for packet in container.demux(video=0) if packet.size)
    path.write_bytes(path.read_bytes()[: places[-lost]])
    source = VideoSource(path)
    assert 50 - lost - 4 <= len(read_all(source)) <= 50 - lost
    assert source.damage is not None
    assert "is cut off" in source.damage


def test_damage_in_the_middle_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 60, size=(320, 240))
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content) // 4, len(content) // 2, 300):
        content[place] ^= 0xFF
    path.write_bytes(content)
    source = VideoSource(path)
    frames = read_all(source)
    assert len(frames) >= 30
    assert number_of(frames[-1].image_rgb) == number_of(numbered_image(59))
    assert source.damage is not None
    assert "is damaged" in source.damage


def decodable(path: Path) -> int:
    """Frames that come out of one thread."""
    count = 0
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for packet in container.demux(video=0):
            with contextlib.suppress(av.FFmpegError):
                count += len(packet.decode())
    return count


@pytest.mark.parametrize("cores", [1, 2, 16])
@pytest.mark.parametrize("broken", [[49], [25], [10, 30, 48]], ids=["last", "middle", "several"])
def test_a_damaged_packet_costs_no_frame_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: list[int], cores: int
) -> None:
    monkeypatch.setattr("streamer.data.cores._limit", cores)
    path = make_video(tmp_path / "clip.mp4", 50)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for number in broken:
        place, size = places[number]
        content[place : place + size] = bytes(size)
    path.write_bytes(content)
    source = VideoSource(path)
    frames = read_all(source)
    assert len(frames) == decodable(path) >= 50 - 3 * len(broken)
    if broken == [49]:
        assert len(frames) == 49
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert len({frame.time_s for frame in frames}) == len(frames)
    assert source.damage is not None
    assert "is damaged" in source.damage


def test_recordings_that_were_joined_play_one_after_the_other(tmp_path: Path) -> None:
    part = make_video(tmp_path / "part.ts", 25, audio=True)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 3)
    source = VideoSource(joined)
    frames = read_all(source)
    assert numbers(frames) == [*range(25)] * 3
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(75)], abs=1e-3)
    assert source.damage is None


def test_a_track_that_begins_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    """Broadcasts and cameras switch sound on and off."""
    silent = make_video(tmp_path / "silent.ts", 25, size=(320, 240), images=noise(25)).read_bytes()
    loud = make_video(tmp_path / "loud.ts", 6, size=(320, 240), audio=True).read_bytes()
    (tmp_path / "clip.ts").write_bytes(silent * 4 + loud + silent * 2)
    with VideoSource(tmp_path / "clip.ts") as source:
        frames = list(iter(source.read, None))
        assert source.damage is None
    assert len(frames) == 25 * 6 + 6


def noise(count: int) -> list[np.ndarray]:
    """Images that take much room, so that FFmpeg begins before it has seen them all."""
    return list(np.random.default_rng(0).integers(0, 256, (count, 240, 320, 3), np.uint8))


def test_no_damage_is_told_of_a_clip_cut_without_encoding(tmp_path: Path) -> None:
    """Its header counts packets before the start, which are there but never shown."""
    whole, cut = make_video(tmp_path / "whole.mp4", 24), tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                shift = round(Fraction(3, 25) / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = stream
                target.mux(packet)
    reread = VideoSource(cut)
    frames = read_all(reread)
    assert numbers(frames) == list(range(numbers(frames)[0], 24)), "each once"
    assert frames[0].time_s == 0
    assert reread.damage is None


def test_a_title_that_is_no_text_costs_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mkv", 4)
    content = bytearray(path.read_bytes())
    content[content.index(b"Lavf") + 2] = 0xE6
    path.write_bytes(content)
    source = VideoSource(path)
    assert len(read_all(source)) == 4


@pytest.mark.parametrize("content", [b"", b"this is a text, not a video\n" * 100, bytes(5000)])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"notes\.mp4 .*give a video file\.$"):
        VideoSource(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=16_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    with pytest.raises(SourceError, match="holds no video"):
        VideoSource(path)


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 0)
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        VideoSource(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        VideoSource(tmp_path / "nowhere.mp4")
    with pytest.raises(SourceError, match="cannot be read as a video"):
        VideoSource(tmp_path)


def test_reading_after_the_end_or_after_closing_gives_nothing(tmp_path: Path) -> None:
    source = VideoSource(make_video(tmp_path / "clip.mp4", 2))
    assert [source.read() is None for _ in range(4)] == [False, False, True, True]
    source.close()
    source.close()
    assert source.read() is None


def test_a_pipe_is_read_once_and_to_its_end(tmp_path: Path) -> None:
    whole, pipe = make_video(tmp_path / "clip.ts", 50, audio=True), tmp_path / "pipe.ts"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(whole.read_bytes()))
    writer.start()
    source = VideoSource(pipe)
    frames = read_all(source)
    writer.join()
    assert numbers(frames) == [number_of(numbered_image(number)) for number in range(50)]
    assert source.damage is None
    assert source.info.path is None  # nobody opens it a second time
    assert source.info.notice is None


def test_an_mp4_that_cannot_be_piped_says_why(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 240, 320, 3), dtype=np.uint8)
    whole = make_video(tmp_path / "clip.mp4", 12, size=(320, 240), images=list(noise))  # a small one fits into a buffer
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write_bytes(whole.read_bytes())

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(SourceError, match="an MP4 with its index at the end cannot be piped"):
        VideoSource(pipe)
    writer.join()


def test_the_standard_input_is_a_video(tmp_path: Path) -> None:
    before = os.dup(0)
    try:
        with make_video(tmp_path / "clip.ts", 12).open("rb") as file:
            os.dup2(file.fileno(), 0)
        source = VideoSource("-")
        assert len(read_all(source)) == 12
        assert (source.info.name, source.info.path, source.damage) == ("stdin", None, None)
    finally:
        os.dup2(before, 0)
        os.close(before)


@pytest.mark.parametrize("hangs", [False, True], ids=["closes", "hangs"])
def test_a_server_that_stops_halfway_gives_what_it_sent(tmp_path: Path, hangs: bool) -> None:
    path = make_video(tmp_path / "clip.mp4", 60, size=(320, 240), options={"movflags": "faststart"})
    content, done = path.read_bytes(), threading.Event()

    class HalfHandler(BaseHTTPRequestHandler):
        log_message: Callable[..., None] = lambda *args: None

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) * 7 // 10])
            if hangs:
                done.wait(5)

    server = ThreadingHTTPServer(("127.0.0.1", 0), HalfHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    source = VideoSource(f"http://user:secret@127.0.0.1:{server.server_port}/clip.mp4", timeout_s=0.3)
    frames = read_all(source)
    done.set()
    server.shutdown()
    server.server_close()
    thread.join()
    assert 6 < len(frames) < 60
    assert source.damage is not None
    assert f"broke off after {len(frames)} frames" in source.damage
    assert "secret" not in source.damage


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the clips of ../shared/data are not here")
@pytest.mark.parametrize(
    ("name", "size", "count", "rate_hz"),
    [
        ("dog", (1280, 720), 289, Fraction(30000, 1001)),
        ("juggle", (1280, 720), 247, Fraction(24)),
        ("bedroom", (960, 540), 200, Fraction(30)),
    ],
)
def test_real_clips_are_read_whole(name: str, size: tuple[int, int], count: int, rate_hz: Fraction) -> None:
    source = VideoSource(CLIPS / f"{name}.mp4")
    times_s = [frame.time_s for frame in read_all(source)]
    assert times_s == pytest.approx([index / float(rate_hz) for index in range(count)], abs=1e-4)
    assert (source.info.size, source.info.rate_hz, source.info.frame_count) == (size, rate_hz, count)
    assert source.damage is None


def test_a_colon_in_the_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "2026-11-25T12:30.mp4", 3)
    with VideoSource("2026-11-25T12:30.mp4") as source:
        assert source.info.name == "2026-11-25T12:30"
        assert source.read() is not None


def test_frames_lost_in_a_transmission_are_told_by_time_and_count(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.ts", 40)
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = whole.read_bytes()
    cut = tmp_path / "cut.ts"
    # Keyframes come every 6 frames: what is left can be decoded.
    cut.write_bytes(content[: places[18] // 188 * 188] + content[places[24] // 188 * 188 :])
    with VideoSource(cut) as source:
        frames = list(iter(source.read, None))
    assert len(frames) < 40
    assert source.damage is not None
    assert re.search(r"\d frames are missing: \d after 0\.\d\d s", source.damage)
    with VideoSource(whole) as source:
        assert len(list(iter(source.read, None))) == 40
    assert source.damage is None


def test_frames_with_errors_are_marked_up_to_the_next_keyframe(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 30)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    broken = next(packet for packet in packets[13:] if not packet.is_keyframe)
    content[broken.pos + 4 : broken.pos + broken.size] = bytes(broken.size - 4)
    path.write_bytes(content)
    with VideoSource(path) as source:
        frames = list(iter(source.read, None))
    damaged_s = [frame.time_s for frame in frames if frame.damaged]
    origin, unit = min(packet.pts for packet in packets), packets[0].time_base
    keys_s = [float((packet.pts - origin) * unit) for packet in packets if packet.is_keyframe]
    broken_s = float((broken.pts - origin) * unit)
    before_s, after_s = max(key for key in keys_s if key <= broken_s), min(key for key in keys_s if key > broken_s)
    assert damaged_s
    assert before_s <= min(damaged_s)
    assert max(damaged_s) < after_s, "a keyframe is whole, and so is what follows"
