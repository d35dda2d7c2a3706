import threading

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.background import BackgroundSink


def result(index: int) -> Result:
    return Result(Frame(index, float(index), np.zeros((1, 1, 3), np.uint8), 0.0))


class Gate:
    """A sink that writes only while its gate is open, and fails on the indices it is told to."""

    name = "gate"

    def __init__(self, failing: dict[int, Exception] | None = None, failing_close: Exception | None = None) -> None:
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.indices: list[int] = []
        self.threads: set[str] = set()
        self.closed = 0
        self._failing = failing or {}
        self._failing_close = failing_close

    def write(self, result: Result) -> None:
        self.entered.set()
        assert self.open.wait(5)
        self.threads.add(threading.current_thread().name)
        if result.index in self._failing:
            raise self._failing[result.index]
        self.indices.append(result.index)

    def close(self) -> None:
        self.closed += 1
        if self._failing_close is not None:
            raise self._failing_close


def test_everything_arrives_in_order_from_one_thread() -> None:
    gate = Gate()
    sink = BackgroundSink(gate, queue_size=2)
    for index in range(50):
        sink.write(result(index))
    sink.close()
    sink.close()
    assert gate.indices == list(range(50))
    assert gate.threads == {"sink gate"}
    assert (gate.closed, sink.written, sink.dropped, sink.name) == (1, 50, 0, "gate")


def test_a_full_queue_makes_file_mode_wait() -> None:
    gate = Gate()
    gate.open.clear()
    sink = BackgroundSink(gate, queue_size=1)
    sink.write(result(0))
    assert gate.entered.wait(5)
    sink.write(result(1))
    third = threading.Thread(target=sink.write, args=(result(2),))
    third.start()
    third.join(0.05)
    assert third.is_alive()
    gate.open.set()
    third.join(5)
    assert not third.is_alive()
    sink.close()
    assert gate.indices == [0, 1, 2]


def test_a_full_queue_makes_live_mode_drop_and_count() -> None:
    gate = Gate()
    gate.open.clear()
    sink = BackgroundSink(gate, queue_size=2, drop=True)
    sink.write(result(0))
    assert gate.entered.wait(5)
    for index in range(1, 10):
        sink.write(result(index))
    assert sink.dropped == 7
    gate.open.set()
    sink.close()
    assert gate.indices == [0, 1, 2]


def test_an_error_is_raised_once_and_the_rest_is_written() -> None:
    gate = Gate(failing={0: SinkError("The disk is full: free some space.")})
    sink = BackgroundSink(gate)
    sink.write(result(0))

    def write_on() -> None:
        for index in range(1, 1000):
            sink.write(result(index))

    with pytest.raises(SinkError, match="The disk is full"):
        write_on()
    sink.write(result(1000))
    sink.close()
    assert gate.indices == [*range(1, gate.indices[-2] + 1), 1000]
    assert sink.written == len(gate.indices)
    assert gate.closed == 1


def test_close_raises_what_no_write_could() -> None:
    gate = Gate(failing={0: ZeroDivisionError("in draw")})
    sink = BackgroundSink(gate)
    sink.write(result(0))
    with pytest.raises(SinkError, match=r"gate failed \(ZeroDivisionError: in draw\)") as raised:
        sink.close()
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert gate.closed == 1
    sink.close()


def test_an_error_of_closing_reaches_the_caller_once() -> None:
    sink = BackgroundSink(Gate(failing_close=SinkError("It cannot be finished: free some space.")))
    with pytest.raises(SinkError, match="cannot be finished"):
        sink.close()
    sink.close()


def test_nothing_can_be_written_after_closing() -> None:
    sink = BackgroundSink(Gate())
    sink.close()
    with pytest.raises(SinkError, match="closed"):
        sink.write(result(0))
