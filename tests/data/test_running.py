"""Which slow calls are under way."""

import threading

import pytest

from streamer.data.running import anything_running, running
from streamer.scheduling.threads import ThreadedWorkers


def test_a_call_counts_while_it_lasts_also_one_that_fails():
    assert not anything_running()
    with running("masks"), running("masks"):
        assert anything_running()
    assert not anything_running()
    with pytest.raises(ZeroDivisionError), running("masks"):
        _ = 1 / 0
    assert not anything_running()


def test_a_call_in_another_thread_counts_until_it_ends():
    started, may_end, workers = threading.Event(), threading.Event(), ThreadedWorkers()
    workers.submit("masks", 1, lambda: (started.set(), may_end.wait(10)))
    assert started.wait(10)
    assert anything_running()
    may_end.set()
    workers.close(timeout_s=10)
    assert not anything_running()
