import contextlib
import os
import sys
import threading

import pytest

from streamer.scheduling.threads import ThreadedWorkers


@pytest.fixture
def threaded():
    workers = ThreadedWorkers()
    yield workers
    workers.close()


def wait_for(workers, count):
    done, tick = [], threading.Event()
    for _ in range(2000):
        done += workers.finished()
        if len(done) >= count:
            return done
        tick.wait(0.001)
    raise AssertionError(f"only {len(done)} of {count} calls ended")


def test_errors_come_back_instead_of_vanishing(threaded):
    threaded.submit("a", 1, lambda: 1 / 0)
    (done,) = wait_for(threaded, 1)
    assert isinstance(done.error, ZeroDivisionError)


def test_only_the_newest_waits_behind_the_one_that_runs(threaded):
    started, release = threading.Event(), threading.Event()

    def slow():
        started.set()
        release.wait(5)
        return "slow"

    assert threaded.ready("a")
    assert threaded.submit("a", 1, slow) is None
    assert started.wait(5)
    assert not threaded.ready("a")
    assert threaded.ready("b")
    assert threaded.submit("a", 2, lambda: "old") is None
    assert threaded.submit("a", 3, lambda: "new") == 2
    release.set()
    assert [done.value for done in wait_for(threaded, 2)] == ["slow", "new"]


def test_lanes_do_not_wait_for_each_other(threaded):
    release = threading.Event()
    threaded.submit("slow", 1, lambda: release.wait(5))
    threaded.submit("quick", 2, lambda: "quick")
    assert wait_for(threaded, 1)[0].value == "quick"
    release.set()


def test_close_does_not_wait_for_a_call_that_takes_too_long():
    workers, started, release = ThreadedWorkers(), threading.Event(), threading.Event()
    workers.submit("a", 1, lambda: (started.set(), release.wait(5)))
    assert started.wait(5)
    workers.submit("a", 2, lambda: "never")
    workers.close(timeout_s=0.01)
    release.set()
    assert [done.key for done in wait_for(workers, 1)] == [1]


def test_close_ends_idle_threads():
    before = threading.active_count()
    workers = ThreadedWorkers()
    workers.submit("a", 1, lambda: None)
    wait_for(workers, 1)
    workers.close(timeout_s=5)
    assert threading.active_count() == before


def test_lanes_in_turns_run_one_at_a_time_and_then_take_what_is_newest():
    workers, running = ThreadedWorkers(in_turns=("a", "b")), threading.Semaphore(1)
    started, release = threading.Event(), threading.Event()

    def alone(value):
        assert running.acquire(blocking=False)
        started.set()
        release.wait(5)
        running.release()
        return value

    workers.submit("a", 1, lambda: alone("first"))
    assert started.wait(5)
    assert not workers.ready("a")
    assert not workers.ready("b")
    assert workers.ready("c")
    workers.submit("b", 2, lambda: alone("old"))
    workers.submit("b", 3, lambda: alone("new"))
    release.set()
    done = wait_for(workers, 2)
    assert [(one.value, one.error) for one in done] == [("first", None), ("new", None)]
    workers.close(timeout_s=5)


def test_the_state_of_a_lane_tells_running_from_queued():
    workers, started, release = ThreadedWorkers(in_turns=("a", "b")), threading.Event(), threading.Event()
    assert [workers.state(lane) for lane in "ab"] == ["idle", "idle"]
    workers.submit("a", 1, lambda: (started.set(), release.wait(5)))
    assert started.wait(5)
    assert [workers.state(lane) for lane in "ab"] == ["busy", "idle"]
    workers.submit("b", 2, lambda: None)
    assert [workers.state(lane) for lane in "ab"] == ["busy", "waiting"]
    release.set()
    wait_for(workers, 2)
    workers.close(timeout_s=5)
    assert [workers.state(lane) for lane in "ab"] == ["idle", "idle"]


def priority():
    """Of the calling thread."""
    return threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of single threads")
def test_where_the_priority_is_to_be_another_another_thread_makes_the_next_call():
    here = priority()[1]
    workers = ThreadedWorkers(step_back=("slow",), nice=4)

    def called(lane, steps_afterwards=None):
        """Which thread made this call, and how far it had stepped back; what it learned is given."""
        if steps_afterwards is not None:
            workers._lanes[lane]._niceness.watched = lambda: learned(lane, steps_afterwards)
        workers.submit(lane, 0, priority)
        number, nice = wait_for(workers, 1)[0].value
        return number, nice - here

    @contextlib.contextmanager
    def learned(lane, steps):
        yield
        workers._lanes[lane]._niceness.steps = steps

    workers.prepare("slow", priority)
    assert wait_for(workers, 1)[0].value[1] == here, "what loads a model does not step back"
    first = called("slow", 4)
    assert first[1] == 0
    second, third = called("slow", 4), called("slow", 0)
    assert second == third
    assert second == (second[0], min(19 - here, 4))
    assert called("slow", 0)[1] == 0, "other programs kept it waiting"
    assert [called("quick")[1] for _ in range(2)] == [0, 0]
    workers.close(timeout_s=5)


def test_a_lane_is_closed_until_it_is_prepared_in_its_own_thread():
    workers, release = ThreadedWorkers(in_turns=("a", "b"), step_back=("a", "b")), threading.Event()
    seen = []
    workers.prepare("a", lambda: (release.wait(5), seen.append(threading.current_thread().name)))
    assert [workers.state(lane) for lane in "ab"] == ["loading", "idle"]
    assert not workers.ready("a")
    assert not workers.ready("b"), "it would have to wait for its turn"
    release.set()
    assert wait_for(workers, 1)[0].error is None
    assert seen == ["streamer-a"]
    workers.close(timeout_s=5)
    assert workers.ready("b")


def test_what_fails_while_a_lane_is_prepared_comes_back():
    workers = ThreadedWorkers()
    workers.prepare("a", lambda: 1 / 0)
    assert isinstance(wait_for(workers, 1)[0].error, ZeroDivisionError)
    workers.close(timeout_s=5)
