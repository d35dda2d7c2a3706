"""Several sinks at once: one that fails does not stop the others."""

import pytest

from streamer.errors import SinkError
from streamer.sinks.fanout import Fanout


class ListSink:
    def __init__(self, name, fails=False):
        self.name, self.fails = name, fails
        self.taken, self.closed = [], 0

    def write(self, result):
        if self.fails:
            raise SinkError(f"{self.name} is full: free some space.")
        self.taken.append(result)

    def close(self):
        self.closed += 1
        if self.fails:
            raise SinkError(f"{self.name} cannot be finished.")


def test_one_that_fails_is_told_once_and_the_others_go_on():
    told = []
    good, bad = ListSink("good"), ListSink("bad", fails=True)
    fanout = Fanout([bad, good], told.append)
    for number in range(3):
        fanout.write(number)
    fanout.close()
    fanout.close()
    assert good.taken == [0, 1, 2]
    assert told == fanout.messages == ["bad is full: free some space."]
    assert fanout.failures == {"bad": 4}
    assert (good.closed, bad.closed) == (1, 1)


def test_when_all_fail_the_error_is_raised_and_not_told_as_well():
    told = []
    fanout = Fanout([ListSink("bad", fails=True)], told.append)
    with pytest.raises(SinkError, match="bad is full"):
        fanout.write(0)
    fanout.close()
    assert told == []


def test_without_sinks_there_is_nothing_to_fail():
    Fanout([], print).write(0)


def test_sinks_come_and_go():
    first, second = ListSink("first"), ListSink("second")
    fanout = Fanout([first], print)
    fanout.write(0)
    fanout.add(second)
    fanout.write(1)
    fanout.remove(second)
    fanout.write(2)
    assert (first.taken, second.taken) == ([0, 1, 2], [1])
    assert (len(fanout), fanout.sinks) == (1, [first, second])
    assert second.closed == 1
