"""The loop of a batch, with workers that do as they are told: nothing is lost, and nothing is done twice."""

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.batch.driver import Driver, Limits
from streamer.batch.executor import Ended, Lost, Progress
from streamer.batch.job import AnnotateJob
from streamer.batch.order import Order, new_token
from streamer.batch.record import DONE, Record, State, sidecar
from streamer.config import load
from streamer.errors import PromptError
from streamer.sinks.targets import Targets
from streamer.terminal.stopping import Stop

CONFIG = load("tiny")


class Script:
    """An executor whose workers do what the script says at each attempt at a video: "done" once it has ended."""

    def __init__(self, slots, **script):
        self.slots, self.script = slots, defaultdict(lambda: ["done"], script)
        self.running, self.began, self.abandoned, self.closed = {}, [], [], False
        self.now_s = 0.0

    def free(self):
        return [slot for slot in range(self.slots) if slot not in self.running]

    def start(self, slot, order):
        assert slot not in self.running, "a worker was given two orders at once"
        self.running[slot] = order
        self.began.append(order.name)

    def events(self, timeout_s):
        self.now_s += timeout_s
        told = []
        for slot, order in list(self.running.items()):
            steps = self.script[order.name]
            step = steps.pop(0) if len(steps) > 1 else steps[0]
            event = self._event(step, slot, order)
            if isinstance(event, Ended | Lost):
                del self.running[slot]
            told += [event] if event else []
        return told

    def _event(self, step, slot, order):
        if step == "hang":
            return None
        if step == "frames":
            return Progress(slot, 3)
        if step in ("lost", "machine lost"):
            return Lost(slot, "it was killed", blameless=step == "machine lost")
        record = replace(order.record, attempts=order.record.attempts + 1, frames=5)
        if step == "fail":
            return Ended(slot, replace(record, state=State.FAILED, reason="no"))
        record = replace(record, state=State.FINISHED)
        record.write(order.sidecar)
        return Lost(slot, "it was killed just after") if step == "done and lost" else Ended(slot, record)

    def abandon(self, slot):
        self.abandoned.append(self.running.pop(slot).name)

    def close(self):
        self.closed = True


class Seen:
    def __init__(self):
        self.states = []

    def begun(self, slot, record, frames):
        pass

    def progress(self, slot, frames):
        assert frames == 3

    def ended(self, slot, record):
        self.states.append((record.name, str(record.state)))


def drive(folder, script, names="abc", stop=None, order_of=None, **limits):
    def order(record):
        return Order(CONFIG, AnnotateJob([record.source], [], Targets(output=folder)), record, folder, new_token())

    records = [Record(name, f"{name}.mp4", fingerprint="f") for name in names]
    display = Seen()
    driver = Driver(
        *(script, records, order_of or order, folder, {}, Limits(**limits), display, stop or Stop()),
        clock=lambda: script.now_s,
    )
    driver.run()
    assert script.closed
    return driver.records, display.states


def test_every_video_is_done_once_in_the_order_given(tmp_path):
    script = Script(2, a=["frames", "done"])
    records, _ = drive(tmp_path, script, "abcde")
    assert {record.state for record in records.values()} == {State.FINISHED}
    assert script.began == list("abcde")


def test_what_fails_is_tried_again_after_the_others_and_then_put_aside(tmp_path):
    script = Script(1, a=["fail"], b=["fail", "done"])
    records, states = drive(tmp_path, script, retries=2)
    assert script.began == list("abcaba")
    assert records["a"].state is State.QUARANTINED
    assert (records["a"].attempts, records["b"].attempts) == (3, 2)
    assert records["b"].state is State.FINISHED
    assert Record.read(sidecar(tmp_path, "a"), "a", "a.mp4").reason == "no"
    assert states[:2] == [("a", "failed"), ("b", "failed")]


def test_a_worker_that_is_killed_costs_an_attempt_and_nothing_else(tmp_path):
    script = Script(2, a=["lost", "done"], b=["lost"])
    records, _ = drive(tmp_path, script, retries=1)
    assert records["a"].state in DONE
    assert (records["b"].state, records["b"].reason) == (State.QUARANTINED, "it was killed")


def test_a_machine_that_goes_away_costs_no_attempt(tmp_path):
    script = Script(1, a=["machine lost"] * 6 + ["done"])
    records, _ = drive(tmp_path, script, "a", retries=0)
    assert (records["a"].state, records["a"].attempts) == (State.FINISHED, 1)


def test_a_machine_that_goes_away_for_ever_ends(tmp_path):
    records, _ = drive(tmp_path, Script(1, a=["machine lost"]), "a", retries=0)
    assert records["a"].state is State.QUARANTINED


@pytest.mark.parametrize("slots", [1, 3])
def test_what_was_done_before_its_worker_died_is_not_done_again(tmp_path, slots):
    script = Script(slots, a=["done and lost"])
    records, _ = drive(tmp_path, script)
    assert records["a"].state is State.FINISHED
    assert Counter(script.began) == Counter("abc")


def test_what_takes_too_long_is_ended(tmp_path):
    script = Script(2, b=["frames", "hang"])
    records, _ = drive(tmp_path, script, retries=1, time_s=10)
    assert script.abandoned == ["b", "b"]
    assert (records["b"].state, records["b"].duration_s) == (State.QUARANTINED, pytest.approx(10.25))
    assert "time limit of 10 s" in records["b"].reason
    assert {records["a"].state, records["c"].state} == {State.FINISHED}


def test_a_signal_ends_it_and_counts_no_attempt(tmp_path):
    script, stop = Script(1, b=["frames", "hang"]), Stop()
    script.events = lambda timeout_s, events=script.events: (
        events(timeout_s) if "b" not in script.began else setattr(stop, "signalled", True) or []
    )
    left = tmp_path / f"b-annotated.mp4.unfinished-{'0' * 8}.mp4"
    left.touch()
    records, _ = drive(tmp_path, script, stop=stop)
    assert records["a"].state is State.FINISHED
    assert (records["b"].state, records["b"].attempts) == (State.WAITING, 0)
    assert "c" not in records
    assert not left.exists()


def test_an_order_that_cannot_be_made_fails_by_itself(tmp_path):
    def order_of(record):
        if record.name == "a":
            raise PromptError("The mask is gone.")
        return Order(CONFIG, AnnotateJob([record.source], [], Targets(output=tmp_path)), record, Path(tmp_path), "0")

    records, _ = drive(tmp_path, Script(2), order_of=order_of, retries=1)
    assert (records["a"].state, records["a"].attempts) == (State.QUARANTINED, 2)
    assert records["c"].state is State.FINISHED
