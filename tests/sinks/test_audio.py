from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.writing import audio, make_source, read, write


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


def test_audio_that_does_not_fit_is_left_out_with_a_word(tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.avi", codec="wmav2")
    sink = write(tmp_path / "a.mp4", [0.0, 0.05], audio_from=source)
    assert sink.warning == "Audio (wmav2) was left out, because mp4 cannot hold it."
    sink = write(tmp_path / "b.mp4", [0.0, 0.05], audio_from=tmp_path / "none.mp4")
    assert "cannot be opened (No such file or directory)" in (sink.warning or "")
    assert len(read(tmp_path / "a.mp4")[0]) == len(read(tmp_path / "b.mp4")[0]) == 2


def test_a_damaged_source_loses_only_the_end_of_its_audio(tmp_path: Path) -> None:
    source = make_source(tmp_path / "whole.mkv", frames=80, audio_s=4)
    whole = audio(source)
    (tmp_path / "cut.mkv").write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    write(tmp_path / "a.mp4", [index / 20 for index in range(80)], audio_from=tmp_path / "cut.mkv")
    copied = [data for _, data in audio(tmp_path / "a.mp4")]
    assert 10 < len(copied) < len(whole)
    assert copied == [data for _, data in whole[: len(copied)]]
