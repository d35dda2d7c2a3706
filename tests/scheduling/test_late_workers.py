from streamer.scheduling.late_workers import LateWorkers


def test_late_results_come_after_so_many_steps_and_others_at_once():
    workers = LateWorkers({"slow": 2})
    workers.submit("slow", 1, lambda: "late")
    workers.submit("quick", 2, lambda: "prompt")
    assert [done.value for done in workers.finished()] == ["prompt"]
    assert (workers.ready("slow"), workers.state("slow"), workers.ready("quick")) == (False, "busy", True)
    workers.step()
    assert workers.finished() == []
    workers.step()
    assert [done.value for done in workers.finished()] == ["late"]
    assert (workers.ready("slow"), workers.state("slow")) == (True, "idle")
