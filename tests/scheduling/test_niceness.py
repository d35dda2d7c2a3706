"""When a model's thread steps back, from what its calls were given; no busy machine is needed."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from streamer.scheduling.niceness import Niceness, Spent, step_back


def served(niceness_of, **spent):
    """The steps after one call that was served like this."""
    before, after = Spent(0, 0, 0, 0), Spent(**spent)
    answers = iter([before, after])
    niceness = niceness_of(lambda: next(answers))
    with niceness.watched():
        pass
    return niceness.steps


def new(spent):
    return Niceness(10, spent, cores=2)


def stepped_back(spent):
    niceness = Niceness(10, spent, cores=2)
    niceness.steps = 10
    return niceness


@pytest.mark.parametrize(
    ("waited_s", "program_s", "from_front", "from_behind"),
    [
        (0.0, 1.2, 10, 10),  # a free machine
        (3.5, 3.9, 10, 10),  # long waiting, but for this program itself
        (0.5, 1.2, 10, 10),  # one busy neighbor
        (1.5, 1.2, 0, 10),  # two of them: whatever it was
        (20.0, 3.0, 0, 0),  # eight of them
    ],
)
def test_a_thread_steps_back_unless_other_programs_starve_it(waited_s, program_s, from_front, from_behind):
    spent = {"ran_s": 1.0, "waited_s": waited_s, "program_s": program_s, "clock_s": 1.0 + waited_s}
    if waited_s == 3.5:
        spent["clock_s"] = 2.0
    assert served(new, **spent) == from_front
    assert served(stepped_back, **spent) == from_behind


def test_nothing_is_learned_where_the_system_does_not_tell_or_nobody_wants_to_step_back():
    for niceness in (Niceness(10, lambda: None), Niceness(0, lambda: pytest.fail("not asked"))):
        with niceness.watched():
            pass
        assert niceness.steps == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_what_a_thread_ran_is_told_by_the_system():
    before = Spent.now()
    while (after := Spent.now()).ran_s < before.ran_s + 0.02:
        pass
    assert after.program_s - before.program_s > 0.01
    assert after.waited_s >= before.waited_s


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
