import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.errors import SinkError
from streamer.sinks.background import BackgroundSink
from streamer.sinks.containers import CONTAINERS
from streamer.sinks.targets import VIDEO_SUFFIXES
from streamer.sinks.video import VideoSink
from tests.disk import full_beyond
from tests.writing import audio, drawn, make_image, make_source, read, result, sound, tone_hz, write

CLIP = Path(__file__).parents[2] / "shared" / "data" / "clips" / "dog.mp4"
NTSC = Fraction(30_000, 1001)


def playable(path: Path) -> int:
    """How many frames come out until the first damage."""
    count = 0
    with av.open(str(path)) as container, contextlib.suppress(av.InvalidDataError):
        for _ in container.decode(video=0):
            count += 1
    return count


def boxes(path: Path) -> list[str]:
    """Types of the top-level boxes of an MP4."""
    data, position, types = path.read_bytes(), 0, []
    while position < len(data):
        types.append(data[position + 4 : position + 8].decode("ascii"))
        position += int.from_bytes(data[position : position + 4], "big")
    return types


@pytest.mark.parametrize(
    ("ticks", "time_base"),
    [
        pytest.param([index * 1001 for index in range(40)], Fraction(1, 30_000), id="NTSC"),
        pytest.param([0, 3000, 9001, 9002, 90_000, 900_000, 900_017], Fraction(1, 90_000), id="variable rate"),
        pytest.param([517, 1024, 2048], Fraction(1, 12_800), id="begins late"),
        pytest.param([0, 1, 2, 5, 6], Fraction(1001, 30_000), id="coarse"),
    ],
)
def test_timestamps_are_exactly_the_sources(tmp_path: Path, ticks: list[int], time_base: Fraction) -> None:
    times_s = [float(tick * time_base) for tick in ticks]
    write(tmp_path / "a.mp4", times_s, rate_hz=NTSC, time_base=time_base)
    assert read(tmp_path / "a.mp4")[0] == [tick * time_base for tick in ticks]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_camera_plays_at_the_speed_it_was_shot(tmp_path: Path, suffix: str) -> None:
    times_s = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.4, 30)).tolist()
    write(tmp_path / f"a{suffix}", times_s)
    written_s, images = read(tmp_path / f"a{suffix}")
    assert [float(time_s) for time_s in written_s] == pytest.approx(times_s, abs=0.0006 if suffix == ".mkv" else 1e-5)
    assert len(images) == 30


def test_a_recording_begun_midway_starts_at_zero(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [37.2, 37.3, 37.6], start_s=None)
    assert [float(time_s) for time_s in read(tmp_path / "a.mp4")[0]] == pytest.approx([0, 0.1, 0.4], abs=1e-5)


def test_time_never_stands_still(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [0.0, 0.0, -1.0, 0.5, 0.5], time_base=Fraction(1, 1000))
    assert [round(time_s * 1000) for time_s in read(tmp_path / "a.mp4")[0]] == [0, 1, 2, 500, 501]


def test_the_last_frame_lasts_as_long_as_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [index / 10 for index in range(5)], rate_hz=Fraction(10))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.duration == 500_000


def test_a_keyframe_every_second_at_any_rate(tmp_path: Path) -> None:
    times_s = [index / 4 for index in range(12)] + [3 + index / 60 for index in range(120)]
    write(tmp_path / "a.mp4", times_s, rate_hz=Fraction(60))
    with av.open(str(tmp_path / "a.mp4")) as container:
        keys_s = [float(p.pts * p.time_base) for p in container.demux(video=0) if p.size and p.is_keyframe]
    assert keys_s == pytest.approx([0, 1, 2, 3, 4])


def test_every_picture_is_its_own(tmp_path: Path) -> None:
    images = [make_image(index, 64, 120) for index in range(25)]
    write(tmp_path / "a.mp4", [index / 25 for index in range(25)], images, crf=12)
    for index, decoded in enumerate(read(tmp_path / "a.mp4")[1]):
        differences = [np.abs(image.astype(int) - decoded).mean() for image in images]
        assert np.argmin(differences) == index
        assert differences[index] < 3


def test_colors_come_out_right_and_are_tagged(tmp_path: Path) -> None:
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 60), (128, 128, 128)]
    bars = np.repeat(np.array(colors, np.uint8), 32, axis=0)[None].repeat(64, axis=0)
    write(tmp_path / "a.mp4", [0.0], [bars], crf=8)
    with av.open(str(tmp_path / "a.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.pix_fmt, codec.color_range, codec.colorspace) == ("yuv420p", 1, 1)
        assert (codec.color_primaries, codec.color_trc) == (1, 1)
    (decoded,) = read(tmp_path / "a.mp4")[1]
    middles = decoded[32, 16::32].astype(int)
    assert np.abs(middles - colors).max() <= 4


def test_odd_sizes_repeat_the_edge(tmp_path: Path) -> None:
    image = make_image(3, 63, 41)
    write(tmp_path / "a.mp4", [0.0], [image], crf=1)
    (decoded,) = read(tmp_path / "a.mp4")[1]
    padded = np.pad(image, ((0, 1), (0, 1), (0, 0)), mode="edge")
    assert decoded.shape == (42, 64, 3)
    assert np.abs(decoded.astype(int) - padded).mean() < 3


def test_pictures_of_another_size_are_fitted_between_bars(tmp_path: Path) -> None:
    white = [np.full((height, width, 3), 255, np.uint8) for width, height in ((128, 64), (64, 64), (128, 16))]
    write(tmp_path / "a.mp4", [0.0, 1.0, 2.0], white, crf=8)
    whole, beside, above = (image.mean(axis=2) > 128 for image in read(tmp_path / "a.mp4")[1])
    assert whole.all()
    assert beside.any(axis=0).nonzero()[0][[0, -1]].tolist() == [32, 95]
    assert above.any(axis=1).nonzero()[0][[0, -1]].tolist() == [24, 39]


def test_an_ordinary_mp4_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.mp4"
    sink = VideoSink(path, drawn)
    for index in range(90):
        sink.write(result(index, index / 30))
        assert not path.exists()
    sink.close()
    sink.close()
    assert [entry.name for entry in path.parent.iterdir()] == ["a.mp4"]
    assert boxes(path) == ["ftyp", "moov", "free", "mdat"]


def test_nothing_is_left_where_nothing_was_written(tmp_path: Path) -> None:
    VideoSink(tmp_path / "a.mp4", drawn).close()
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys
from fractions import Fraction
from pathlib import Path
from streamer.sinks.video import VideoSink
from tests.sinks.test_video import drawn, result

sink = VideoSink(Path(sys.argv[1]), drawn, rate_hz=Fraction(30), audio_from=Path(sys.argv[2]))
for index in range(10_000):
    sink.write(result(index % 200, index / 30))
    print(index, flush=True)
"""


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_a_killed_run_leaves_can_be_played_and_is_kept(tmp_path: Path, suffix: str) -> None:
    path, left = tmp_path / f"a{suffix}", tmp_path / f"a.partial{suffix}"
    source = make_source(tmp_path / "source.mp4", frames=20, audio_s=1)  # The audio ends long before the pictures.
    command = [sys.executable, "-c", KILLED, str(path), str(source)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1], text=True) as process:
        assert process.stdout is not None
        while (line := process.stdout.readline()) and int(line) < 300:
            pass
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not path.exists()
    times_s, images = read(left)
    assert len(times_s) >= 300 - 75
    assert [float(time_s) for time_s in times_s] == pytest.approx([i / 30 for i in range(len(times_s))], abs=6e-4)
    assert np.abs(images[200].astype(int) - make_image(0)).mean() < 4
    assert len(audio(left)) > 30

    content = left.read_bytes()
    write(path, [0.0])
    assert left.read_bytes() == content
    assert len(read(path)[0]) == 1
    assert sorted(entry.name for entry in tmp_path.glob("a*")) == sorted([path.name, left.name])


def test_a_full_disk_keeps_what_was_written(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    sink = VideoSink(tmp_path / "a.mp4", drawn, rate_hz=Fraction(10))

    def write_on() -> None:
        for index in range(500):
            sink.write(result(index, index / 10, np.roll(noise, 8 * index, axis=1)))

    with full_beyond(1_000_000):
        with pytest.raises(
            SinkError, match=r"a\.mp4 cannot be written any further \(File too large\).*a\.partial\.mp4"
        ):
            write_on()
        with pytest.raises(SinkError, match="File too large"):
            sink.write(result(0, 99.0))
        sink.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.mp4"]
    assert playable(tmp_path / "a.partial.mp4") > 300


def test_a_disk_that_is_full_at_the_very_end_is_reported(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "a.mp4", drawn)
    sink.write(result(0, 0.0))
    with full_beyond(100), pytest.raises(SinkError, match=r"File too large"):
        sink.close()
    assert not (tmp_path / "a.mp4").exists()


def test_pictures_that_cannot_be_encoded_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTAINERS, ".mp4", replace(CONTAINERS[".mp4"], longest_px=100_000))
    sink = VideoSink(tmp_path / "a.mp4", drawn)
    with pytest.raises(SinkError, match=r"a\.mp4 cannot be written.*another place\.$"):
        sink.write(result(0, 0.0, np.zeros((2, 20_000, 3), np.uint8)))
    sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "size"), [(".mp4", (16_384, 64)), (".gif", (16_384, 64))])
def test_what_is_wider_than_the_encoder_takes_is_scaled_and_told(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    """A panorama of 8,200 pixels with its depth beside it."""
    sink = write(tmp_path / f"a{suffix}", [0.0, 0.04], [np.full((64, 16_400, 3), 120, np.uint8)] * 2)
    assert sink.warning == f"a{suffix} is 16384x64 instead of 16400x64, which is more than its codec takes."
    images = read(tmp_path / f"a{suffix}")[1]
    assert [image.shape[1::-1] for image in images] == [size] * 2


@pytest.mark.parametrize(
    ("suffix", "codecs"),
    [
        (".mp4", ["h264", "aac"]),
        (".mov", ["h264", "aac"]),
        (".m4v", ["h264", "aac"]),
        (".mkv", ["h264", "aac"]),
        (".webm", ["vp9", "opus"]),
        (".gif", ["gif"]),
    ],
)
def test_every_kind_of_file_has_every_frame_in_time_and_its_sound(
    tmp_path: Path, suffix: str, codecs: list[str]
) -> None:
    source = make_source(tmp_path / "source.mp4", frames=30)
    times_s = [index / 20 for index in range(30)]
    path = tmp_path / f"a{suffix}"
    sink = write(path, times_s, rate_hz=Fraction(20), audio_from=source)
    written_s, images = read(path)
    assert [float(time_s) for time_s in written_s] == pytest.approx(times_s, abs=1e-3)
    assert all(np.abs(image.astype(int) - make_image(index)).mean() < 9 for index, image in enumerate(images))
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == codecs
    if suffix == ".gif":
        assert sink.warning == "Audio (aac) was left out, because gif cannot hold it."
    else:
        assert sink.warning is None
        assert tone_hz(sound(path)[1]) == pytest.approx(382, rel=0.01)
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, "source.mp4"}


def test_the_kinds_that_the_command_line_names_are_those_that_can_be_written() -> None:
    assert tuple(CONTAINERS) == VIDEO_SUFFIXES


def test_a_gif_keeps_its_pace_and_tells_of_frames_that_it_cannot_show(tmp_path: Path) -> None:
    sink = write(tmp_path / "a.gif", [index / 100 for index in range(60)])
    written_s, _ = read(tmp_path / "a.gif")
    assert [float(time_s) for time_s in written_s] == pytest.approx([index / 50 for index in range(30)], abs=0.011)
    assert sink.warning == "30 frames were left out, because gif cannot show so many."


def test_paths_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    for path, message in (
        (tmp_path / "a.avi", r"a\.avi is no video that can be written: end its name in \.mp4, \.mkv"),
        (tmp_path / "folder.mp4", "is a folder"),
        (tmp_path / "file" / "a.mp4", "a file has that name"),
        (Path("/proc/a.mp4"), r"cannot be written \(No such file or directory\)"),
    ):
        if path.parts[1] == "proc" and not Path("/proc/self").exists():
            continue
        with pytest.raises(SinkError, match=message):
            VideoSink(path, drawn)
    with pytest.raises(SinkError, match="no preset 'fastest': choose one of ultrafast"):
        VideoSink(tmp_path / "a.mp4", drawn, preset="fastest")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SinkError, match="Permission denied"):
        VideoSink(tmp_path / "a.mp4", drawn)


@pytest.mark.skipif(not CLIP.exists(), reason=f"{CLIP} is absent")
def test_a_real_clip_keeps_its_times_its_audio_and_its_look(tmp_path: Path) -> None:
    originals: list[np.ndarray] = []
    with av.open(str(CLIP)) as container:
        stream = container.streams.video[0]
        sink = VideoSink(
            tmp_path / "dog.mp4", drawn, rate_hz=stream.average_rate, time_base=stream.time_base, audio_from=CLIP
        )
        background = BackgroundSink(sink)
        for index, frame in enumerate(container.decode(stream)):
            small = cv2.resize(frame.to_ndarray(format="rgb24"), (320, 180), interpolation=cv2.INTER_AREA)
            background.write(result(index, float(frame.pts * frame.time_base), small))
            originals.append(small)
        background.close()
    times_s, images = read(tmp_path / "dog.mp4")
    assert times_s == [Fraction(1001 * index, 30_000) for index in range(289)]
    assert audio(tmp_path / "dog.mp4") == audio(CLIP)
    errors = [np.square(a.astype(float) - b).mean() for a, b in zip(originals, images, strict=True)]
    assert 10 * np.log10(255**2 / max(errors)) > 32
    with av.open(str(tmp_path / "dog.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
