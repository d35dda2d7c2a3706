"""What a slow reader of a pipe is served."""

import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from streamer.errors import SinkError
from streamer.sinks.jsonl import JsonlSink
from streamer.sinks.newest import NewestSink
from tests.sinks.test_jsonl import INFO, result


class Reader:
    """Reads lines out of a pipe, one whenever it is told to, as a program that works on each does."""

    def __init__(self, path: Path):
        os.mkfifo(path)
        self._opened = threading.Thread(target=self._open, args=(path,))
        self._opened.start()
        self.sink = NewestSink(JsonlSink(path, INFO, "none"))
        self._opened.join(5)

    def _open(self, path):
        self._file = os.fdopen(os.open(path, os.O_RDONLY), "r", buffering=1)

    def line(self):
        return json.loads(self._file.readline())

    def rest(self):
        return [json.loads(line) for line in self._file]


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path / "pipe")
    yield reader
    with suppress(SinkError):
        reader.sink.close()


def wait_until(holds):
    end_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.001)


def test_a_reader_that_is_done_gets_the_newest_and_is_told_what_it_missed(reader):
    reader.sink.write(result(index=0))
    wait_until(lambda: reader.sink.written == 1)
    for index in range(1, 9):
        reader.sink.write(result(index=index))
    assert reader.line()["type"] == "header"
    assert reader.line()["index"] == 0
    told, newest = reader.line(), reader.line()
    assert (told["type"], told["count"], told["first_index"], told["last_index"]) == ("dropped", 7, 1, 7)
    assert (newest["type"], newest["index"]) == ("frame", 8)
    assert reader.sink.dropped == 7


def test_a_quick_reader_misses_nothing(reader):
    for index in range(5):
        reader.sink.write(result(index=index))
        lines = [reader.line() for _ in range(2 if index == 0 else 1)]
        assert lines[-1]["index"] == index
    assert reader.sink.dropped == 0


def test_closing_does_not_wait_for_who_does_not_read(reader):
    for index in range(3):
        reader.sink.write(result(index=index))
    start_s = time.monotonic()
    reader.sink.close()
    assert time.monotonic() - start_s < 5
    with pytest.raises(SinkError, match="is closed"):
        reader.sink.write(result(index=4))


def test_the_last_result_is_written_at_the_end_where_somebody_reads(tmp_path):
    reader, lines = Reader(tmp_path / "pipe"), []
    thread = threading.Thread(target=lambda: lines.extend(reader.rest()))
    thread.start()
    for index in range(50):
        reader.sink.write(result(index=index))
    reader.sink.close()
    thread.join(5)
    frames = [line["index"] for line in lines if line["type"] == "frame"]
    assert frames[-1] == 49
    assert frames == sorted(set(frames))
    assert len(frames) + sum(line["count"] for line in lines if line["type"] == "dropped") == 50


def test_a_reader_that_goes_away_is_told(reader):
    reader.sink.write(result(index=0))
    wait_until(lambda: reader.sink.written == 1)
    reader._file.close()

    def write_on():
        for index in range(1, 1000):
            reader.sink.write(result(index=index))
            time.sleep(0.001)

    with pytest.raises(SinkError, match="cannot be written"):
        write_on()
