"""Bytes that come once reach every reader, whole and in order, and are not kept longer than needed."""

import io
import os
import threading
import time

import numpy as np
import pytest

from streamer.sources import tee
from streamer.sources.file import VideoSource
from streamer.sources.tee import Growing, Tee
from tests.videos import make_video
from tests.writing import audio, drawn, result

DATA = np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8).tobytes()


def read_all(reader, size=4096):
    return b"".join(iter(lambda: reader.read(size), b""))


def test_two_readers_get_the_same_at_their_own_pace():
    shared = Tee(io.BytesIO(DATA))
    fast, slow = shared.reader(), shared.reader()
    assert fast.read(100_000) + read_all(fast, 777) == DATA
    assert read_all(slow, 1234) == DATA
    assert not shared._blocks, "nobody needs them any more"


def test_readers_in_threads_lose_nothing():
    shared = Tee(io.BytesIO(DATA))
    got = {}
    readers = {size: shared.reader() for size in (100, 999, 5000)}
    threads = [
        threading.Thread(target=lambda size=size, reader=reader: got.update({size: read_all(reader, size)}))
        for size, reader in readers.items()
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert set(got.values()) == {DATA}


def test_a_reader_that_comes_too_late_is_refused_and_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(tee, "_LATE_BYTES", 10_000)
    shared = Tee(io.BytesIO(DATA))
    first = shared.reader()
    assert first.read(5000) == shared.reader().read(5000)
    alone = Tee(io.BytesIO(DATA))
    assert read_all(alone.reader()) == DATA
    assert sum(map(len, alone._blocks)) < 20_000
    with pytest.raises(OSError, match="gone by"):
        alone.reader()


def test_the_source_is_closed_with_the_last_reader():
    source = io.BytesIO(DATA)
    shared = Tee(source)
    readers = [shared.reader(), shared.reader()]
    for reader in readers:
        assert not source.closed
        reader.close()
        reader.close()
    assert source.closed


def test_a_file_that_grows_is_read_until_it_grows_no_more(tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(DATA[:1000])

    def grow():
        with path.open("ab") as file:
            for place in range(1000, len(DATA), 50_000):
                time.sleep(0.05)
                file.write(DATA[place : place + 50_000])
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    assert read_all(Growing(path, 2.0)) == DATA
    writer.join()


@pytest.mark.parametrize("way", ["pipe", "growing file"])
def test_what_can_be_read_once_keeps_its_sound(tmp_path, way):
    from streamer.sinks.video import VideoSink

    whole, place = make_video(tmp_path / "clip.ts", 50, audio=True), tmp_path / "place.ts"
    os.mkfifo(place) if way == "pipe" else place.touch()
    content = whole.read_bytes()

    def write():
        with place.open("ab") as file:
            for begin in range(0, len(content), 20_000):
                file.write(content[begin : begin + 20_000])
                file.flush()
                time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    with VideoSource(place, follow_s=None if way == "pipe" else 1.5) as source:
        assert source.info.notice is None
        sink = VideoSink(tmp_path / "out.mp4", drawn, audio_from=source.info.again, rate_hz=source.info.rate_hz)
        frames = list(iter(source.read, None))
        for frame in frames:
            sink.write(result(frame.index, frame.time_s, frame.image_rgb))
        sink.close()
    writer.join()
    assert (len(frames), source.damage, sink.warning) == (50, None, None)
    straight = VideoSink(tmp_path / "straight.mp4", drawn, audio_from=whole, rate_hz=source.info.rate_hz)
    with VideoSource(whole) as again:
        for frame in iter(again.read, None):
            straight.write(result(frame.index, frame.time_s, frame.image_rgb))
    straight.close()
    assert audio(tmp_path / "out.mp4") == audio(tmp_path / "straight.mp4")
