"""Whose turn it is among several runs."""

import threading

from streamer.scheduling.turns import Turns


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


class Run:
    """One that asks; any object will do."""


def test_one_runs_at_a_time():
    turns, one, other = Turns(), Run(), Run()
    assert turns.may_start(one)
    with turns.turn(one):
        assert not turns.may_start(one)
        assert not turns.may_start(other)
    entered = threading.Event()

    def enter():
        with turns.turn(other):
            entered.set()

    with turns.turn(one):
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(5)
    assert entered.is_set()


def served(turns, clock, asking, rounds, due=lambda run: True):
    """Who gets the turns when they ask one after the other, always in the same order."""
    order = []
    for _ in range(rounds):
        clock.now_s += 0.03
        for run in asking:
            if turns.may_start(run) and due(run):
                with turns.turn(run):
                    order.append(run)
                    clock.now_s += 0.001
                break
    return order


def test_who_asks_first_on_every_frame_does_not_get_every_turn():
    clock = Clock()
    turns, runs = Turns(clock), [Run() for _ in range(3)]
    for run in runs:
        turns.may_start(run)
    order = served(turns, clock, runs, 12)
    assert [order.count(run) for run in runs] == [4, 4, 4]


def test_who_has_nothing_to_call_lets_the_others_go_on():
    clock = Clock()
    turns, (busy, idle) = Turns(clock), (Run(), Run())
    order = served(turns, clock, (busy, idle), 20, due=lambda run: run is busy)
    assert order.count(busy) >= 10
    assert idle not in order


def test_who_no_longer_asks_is_not_waited_for():
    clock = Clock()
    turns, (one, gone) = Turns(clock), (Run(), Run())
    with turns.turn(one):
        assert not turns.may_start(gone)
    assert not turns.may_start(one), "the other one has waited longer"
    clock.now_s += 1
    assert turns.may_start(one)
