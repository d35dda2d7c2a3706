from streamer.scheduling.workers import InlineWorkers


def test_inline_runs_at_once_and_keeps_the_order():
    workers = InlineWorkers()
    workers.submit("a", 1, lambda: "one")
    workers.submit("b", 2, lambda: "two")
    assert [(done.lane, done.key, done.value) for done in workers.finished()] == [("a", 1, "one"), ("b", 2, "two")]
    assert workers.finished() == []


def test_errors_come_back_instead_of_vanishing():
    workers = InlineWorkers()
    workers.submit("a", 1, lambda: 1 / 0)
    (done,) = workers.finished()
    assert isinstance(done.error, ZeroDivisionError)


def test_a_lane_is_always_idle():
    assert InlineWorkers().state("a") == "idle"
