"""An hour of film: sound and pictures are as far apart at its end as they were in the source."""

from fractions import Fraction

import av
import numpy as np
import pytest

from streamer.sinks.video import VideoSink
from streamer.sources.file import VideoSource
from tests.writing import audio, drawn, read, result

HOUR_S = 3600
RATE_HZ = Fraction(100, 1001)
SOUND_HZ, PER_PACKET = 8_000, 1024


def an_hour(path):
    """A frame every ten seconds, at a rate that no clock of milliseconds holds, and one packet of sound repeated."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=RATE_HZ, options={"g": "60"})
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_HZ, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = SOUND_HZ, 0
        packet_bytes = bytes([*sound.encode(silence), *sound.encode(None)][2])
        sent = 0
        for number in range(round(HOUR_S * RATE_HZ)):
            image = np.full((32, 32, 3), number % 200, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            while Fraction(sent * PER_PACKET, SOUND_HZ) < (number + 1) / RATE_HZ:
                packet = av.Packet(packet_bytes)
                packet.stream, packet.time_base = sound, Fraction(1, SOUND_HZ)
                packet.pts = packet.dts = sent * PER_PACKET
                packet.duration = PER_PACKET
                container.mux(packet)
                sent += 1
        container.mux(video.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_is_in_time_after_an_hour(tmp_path, suffix):
    source = an_hour(tmp_path / "hour.mov")
    with VideoSource(source) as frames:
        sink = VideoSink(
            tmp_path / f"out{suffix}",
            drawn,
            rate_hz=frames.info.rate_hz,
            time_base=frames.info.time_base,
            audio_from=source,
            preset="ultrafast",
        )
        for frame in iter(frames.read, None):
            sink.write(result(frame.index, frame.time_s, frame.image_rgb))
        sink.close()
        assert frames.damage is None
    assert sink.warning is None
    (before_s, _), (after_s, _) = read(source), read(tmp_path / f"out{suffix}")
    assert len(after_s) == len(before_s) == round(HOUR_S * RATE_HZ)
    heard, hears = audio(source), audio(tmp_path / f"out{suffix}")
    assert len(hears) == len(heard)
    for number in (0, len(heard) // 2, -1):
        frame = number if number <= 0 else len(before_s) // 2
        apart_s = (heard[number][0] - before_s[frame]) - (hears[number][0] - after_s[frame])
        assert abs(apart_s) < 0.002
    assert after_s[-1] == pytest.approx(float(before_s[-1] - before_s[0]), abs=0.001)
