from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.sinks.video import VideoSink
from tests.writing import audio, drawn, make_source, read, result, sound, tone_hz, write

TONE_HZ = 0.05 * 48_000 / (2 * np.pi)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_audio_packets_are_those_of_the_source(tmp_path: Path, suffix: str) -> None:
    source = make_source(tmp_path / "source.mp4")
    sink = write(tmp_path / f"a{suffix}", [index / 20 for index in range(30)], rate_hz=Fraction(20), audio_from=source)
    assert sink.warning is None
    expected, copied = audio(source), audio(tmp_path / f"a{suffix}")
    if suffix == ".mp4":
        assert copied == expected
    else:  # Matroska has no time before 0.
        assert expected[0][0] < 0
        assert [data for _, data in copied] == [data for _, data in expected[1:]]
        assert [float(time_s) for time_s, _ in copied] == pytest.approx([float(t) for t, _ in expected[1:]], abs=6e-4)
    assert [float(time_s) for time_s in read(tmp_path / f"a{suffix}")[0]] == [index / 20 for index in range(30)]


def test_audio_is_interleaved_in_time(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.mp4", frames=80, audio_s=4)
    write(tmp_path / "a.mp4", [index / 20 for index in range(80)], rate_hz=Fraction(20), audio_from=source)
    with av.open(str(tmp_path / "a.mp4")) as container:
        packets = sorted((packet for packet in container.demux() if packet.size), key=lambda packet: packet.pos)
    times_s = np.array([float(packet.dts * packet.time_base) for packet in packets])
    assert (times_s - np.maximum.accumulate(times_s)).min() > -1.2


def test_audio_ends_with_an_interrupted_video(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.mp4", frames=80, audio_s=4)
    write(tmp_path / "a.mp4", [index / 20 for index in range(25)], rate_hz=Fraction(20), audio_from=source)
    expected = [packet for packet in audio(source) if packet[0] < Fraction(25, 20)]
    assert audio(tmp_path / "a.mp4") == expected


def test_audio_that_outlasts_the_pictures_is_kept(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.mp4", frames=20, audio_s=3)
    write(tmp_path / "a.mp4", [index / 20 for index in range(20)], rate_hz=Fraction(20), audio_from=source)
    assert audio(tmp_path / "a.mp4") == audio(source)


def test_audio_follows_a_late_start(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.mp4", frames=40, audio_s=2)
    times_s = [index / 20 for index in range(20, 40)]
    write(tmp_path / "a.mp4", times_s, rate_hz=Fraction(20), audio_from=source, start_s=None)
    copied = audio(tmp_path / "a.mp4")
    payloads = [data for _, data in audio(source)]
    assert -0.1 <= copied[0][0] <= 0
    assert [data for _, data in copied] == payloads[-len(copied) :]
    assert len(copied) == pytest.approx(1.0 * 48_000 / 1024, abs=7)


def test_audio_that_does_not_fit_is_encoded_anew(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.avi", codec="wmav2", frames=30)
    sink = write(tmp_path / "a.mp4", [index / 20 for index in range(30)], audio_from=source)
    assert sink.warning is None
    codec, samples = sound(tmp_path / "a.mp4")
    assert codec == "aac"
    assert len(samples) / 48_000 == pytest.approx(1.5, abs=0.06)
    assert tone_hz(samples) == pytest.approx(TONE_HZ, rel=0.01)


def test_audio_that_nobody_can_read_is_left_out_with_a_word(tmp_path: Path) -> None:
    sink = write(tmp_path / "b.mp4", [0.0, 0.05], audio_from=tmp_path / "none.mp4")
    assert "cannot be opened (No such file or directory)" in (sink.warning or "")
    assert len(read(tmp_path / "b.mp4")[0]) == 2


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("name", ["source.ts", "source.m3u8"])
def test_broadcast_sound_comes_along(tmp_path: Path, name: str, suffix: str) -> None:
    """MPEG-TS repeats the header of AAC in each packet; an MP4 has it once."""
    source = make_source(tmp_path / name)
    times_s = [index / 20 for index in range(30)]
    sink = write(tmp_path / f"a{suffix}", times_s, rate_hz=Fraction(20), audio_from=source)
    assert sink.warning is None
    assert [float(time_s) for time_s in read(tmp_path / f"a{suffix}")[0]] == pytest.approx(times_s, abs=1e-3)
    codec, samples = sound(tmp_path / f"a{suffix}")
    assert codec == "aac"
    assert tone_hz(samples) == pytest.approx(TONE_HZ, rel=0.01)
    assert len(samples) / 48_000 == pytest.approx(1.5, abs=0.06)


@pytest.mark.parametrize("moved_s", [-0.02, -0.4], ids=["twice", "backwards"])
def test_stamps_of_sound_that_stand_still_or_run_back_cost_no_frame(tmp_path: Path, moved_s: float) -> None:
    source = make_source(tmp_path / "source.mkv")
    with av.open(str(source)) as container:
        place = [packet.pos for packet in container.demux(audio=0) if packet.size][30]
    content = bytearray(source.read_bytes())
    header = content.index(b"\x82", place) + 1  # a SimpleBlock: track 2, then its stamp in ms, 16 bit, signed
    stamp_ms = int.from_bytes(content[header : header + 2], signed=True)
    content[header : header + 2] = (stamp_ms + round(1000 * moved_s)).to_bytes(2, signed=True)
    source.write_bytes(content)
    sink = write(tmp_path / "a.mp4", [index / 20 for index in range(30)], rate_hz=Fraction(20), audio_from=source)
    assert len(read(tmp_path / "a.mp4")[0]) == 30
    assert len(audio(tmp_path / "a.mp4")) >= len(audio(source)) - 2
    assert np.diff([float(time_s) for time_s, _ in audio(tmp_path / "a.mp4")]).max() < 0.05
    assert sink.warning is None


def test_a_sound_track_that_is_announced_but_empty_costs_no_frame(tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    with av.open(str(make_source(tmp_path / "whole.mp4"))) as container, av.open(str(source), "w") as target:
        streams = [target.add_stream_from_template(stream) for stream in container.streams]
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = streams[0]
                target.mux(packet)
    sink = write(tmp_path / "a.mp4", [index / 20 for index in range(30)], audio_from=source)
    assert sink.warning == "Sound track 1 (aac) was left out, because it is empty."
    assert len(read(tmp_path / "a.mp4")[0]) == 30


def test_sound_whose_stamps_start_again_follows_the_pictures(tmp_path: Path) -> None:
    part = make_source(tmp_path / "part.ts", codec="ac3", frames=20, audio_s=1)
    (tmp_path / "joined.ts").write_bytes(part.read_bytes() * 2)
    times_s = [index / 20 for index in range(40)]
    sink = write(tmp_path / "a.mp4", times_s, rate_hz=Fraction(20), audio_from=tmp_path / "joined.ts")
    assert len(read(tmp_path / "a.mp4")[0]) == 40
    starts_s = [float(time_s) for time_s, _ in audio(tmp_path / "a.mp4")]
    assert starts_s[-1] == pytest.approx(2.0, abs=0.1)
    assert np.diff(starts_s).max() < 0.1
    assert sink.warning is None


def test_sound_that_fails_in_the_middle_is_given_up_instead_of_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The muxer writes sound that waits when it is given a frame, and says then what is wrong with it."""
    source = make_source(tmp_path / "source.mp4")
    sink = VideoSink(tmp_path / "a.mp4", drawn, rate_hz=Fraction(20), audio_from=source)
    real, failed = VideoSink._write_packet, []

    def fail_once(self: VideoSink, packet: av.Packet) -> None:
        real(self, packet)
        if len(failed) < 1 and packet.pts * packet.time_base > 0.5:
            failed.append(packet)
            raise av.error.ArgumentError(22, "Invalid argument")

    monkeypatch.setattr(VideoSink, "_write_packet", fail_once)
    for index in range(30):
        sink.write(result(index, index / 20))
    sink.close()
    assert len(read(tmp_path / "a.mp4")[0]) == 30
    assert sink.warning == "The rest of the sound was left out, because it cannot be written (Invalid argument)."
    assert 0 < len(audio(tmp_path / "a.mp4")) < len(audio(source))


def test_sound_long_before_the_pictures_is_told(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.mp4", frames=40, audio_s=2)
    late = tmp_path / "late.mkv"
    with av.open(str(source)) as container, av.open(str(late), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                if packet.stream.type == "video":
                    packet.pts, packet.dts = (stamp + round(1 / packet.time_base) for stamp in (packet.pts, packet.dts))
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    sink = write(tmp_path / "a.mp4", [index / 20 for index in range(40)], rate_hz=Fraction(20), audio_from=late)
    assert sink.warning == "The first 1.0 s of sound were left out: they lie before the pictures."


def test_a_damaged_source_loses_only_the_end_of_its_audio(tmp_path: Path) -> None:
    source = make_source(tmp_path / "whole.mkv", frames=80, audio_s=4)
    whole = audio(source)
    (tmp_path / "cut.mkv").write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    write(tmp_path / "a.mp4", [index / 20 for index in range(80)], audio_from=tmp_path / "cut.mkv")
    copied = [data for _, data in audio(tmp_path / "a.mp4")]
    assert 10 < len(copied) < len(whole)
    assert copied == [data for _, data in whole[: len(copied)]]
