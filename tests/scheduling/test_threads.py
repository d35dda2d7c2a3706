import os
import sys
import threading

import pytest

from streamer.scheduling.threads import ThreadedWorkers, step_back


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of single threads")
def test_only_the_lanes_that_shall_step_back_do_and_each_once():
    def priority():
        return threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = priority()[1]
    workers = ThreadedWorkers(step_back=("slow",))
    for lane in ("slow", "quick", "slow"):
        workers.submit(lane, 0, priority)
        assert wait_for(workers, 1)[0].value == (f"streamer-{lane}", min(19, here + 10) if lane == "slow" else here)
    workers.close(timeout_s=5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of single threads")
def test_a_thread_that_steps_back_takes_only_itself_and_what_it_starts():
    def priority():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen = []

    def step():
        step_back(3)
        seen.append(priority())
        child = threading.Thread(target=lambda: seen.append(priority()))
        child.start()
        child.join()

    before = priority()
    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    assert seen == [min(19, before + 3)] * 2
    assert priority() == before


def test_a_lane_is_closed_until_it_is_prepared_in_its_own_thread():
    workers, release = ThreadedWorkers(in_turns=("a", "b"), step_back=("a", "b")), threading.Event()
    seen = []
    workers.prepare("a", lambda: release.wait(5), lambda: seen.append(threading.current_thread().name))
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
    workers.prepare("a", lambda: 1 / 0, lambda: None)
    assert isinstance(wait_for(workers, 1)[0].error, ZeroDivisionError)
    workers.close(timeout_s=5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of single threads")
@pytest.mark.parametrize("nice", [0, 4])
def test_what_is_imported_first_does_not_step_back_yet(nice):
    def priority():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen, here = [], priority()
    workers = ThreadedWorkers(step_back=("slow",), nice=nice)
    workers.prepare("slow", lambda: seen.append(priority()), lambda: seen.append(priority()))
    wait_for(workers, 1)
    workers.close(timeout_s=5)
    assert seen == [here, min(19, here + nice)]
