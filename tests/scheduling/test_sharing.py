"""Settings of the whole process: made by the first live run, put back by the last."""

import sys

import cv2
import pytest

from streamer.models.runtime import devices
from streamer.scheduling import sharing
from streamer.scheduling.sharing import share_models, sharing_processor

SHARED = (3, 2, pytest.approx(0.001))


def settings():
    return devices.thread_count(), cv2.getNumThreads(), sys.getswitchinterval()


@pytest.fixture
def before(monkeypatch):
    """The settings of a machine with four cores; what this one has is put back afterwards."""
    monkeypatch.setattr(sharing, "core_count", lambda: 4)
    torch_threads, cv2_threads, interval_s = settings()
    devices.set_threads(4)
    cv2.setNumThreads(3)
    yield 4, 3, interval_s
    devices.set_threads(torch_threads)
    cv2.setNumThreads(cv2_threads)
    sys.setswitchinterval(interval_s)


def test_one_run_shares_and_puts_back_even_when_it_fails(before):
    def fail():
        with sharing_processor():
            share_models()
            assert settings() == SHARED
            raise RuntimeError("midway")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="midway"):
            fail()
        assert settings() == before


@pytest.mark.parametrize("first_out", [0, 1])
def test_of_two_runs_that_overlap_the_last_one_puts_back_what_the_first_one_found(before, first_out):
    runs = [sharing_processor(), sharing_processor()]
    for run in runs:
        run.__enter__()
        share_models()
        assert settings() == SHARED
    runs[first_out].__exit__(None, None, None)
    assert settings() == SHARED, "the other one goes on"
    runs[1 - first_out].__exit__(None, None, None)
    assert settings() == before


def test_models_that_come_later_leave_a_core_then_and_only_while_a_run_goes_on(before):
    share_models()
    assert settings() == before
    with sharing_processor():
        assert devices.thread_count() == 4
        share_models(2)
        share_models(1)
        assert devices.thread_count() == 2, "the first one counts"
    assert settings() == before


def test_a_file_beside_a_live_run_leaves_its_settings_and_alone_sets_the_models_only(before):
    with sharing_processor(live=False):
        share_models(2)
        assert settings() == (2, *before[1:])
        with sharing_processor():
            assert settings() == (2, *SHARED[1:])
            share_models()
            assert devices.thread_count() == 2, "the first one counts"
        assert settings() == (2, *SHARED[1:]), "put back by the last"
    assert settings() == before
