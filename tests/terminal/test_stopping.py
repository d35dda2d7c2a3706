"""Signals become a flag; the second one ends at once."""

import os
import signal
import subprocess
import sys
import threading

from streamer.terminal import stopping
from streamer.terminal.stopping import INTERRUPTED, Stop
from tests.end_to_end.conftest import wait_until


def test_a_signal_is_a_flag_and_the_old_handlers_come_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM):
        with Stop() as stop:
            assert not stop.signalled
            os.kill(os.getpid(), number)
            assert stop.signalled
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_second_signal_ends_at_once():
    code = (
        "import os, signal, time\n"
        "from streamer.terminal.stopping import Stop\n"
        "with Stop():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('goes on', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(5)\n"
        "    print('too late', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "goes on\n", "")


def test_a_service_is_ended_by_sigterm_in_time_whatever_it_does():
    code = (
        "import os, signal, time\n"
        "from streamer.terminal.stopping import Stop\n"
        "with Stop(service=True) as stop:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    stop.wait(60)\n"
        "    print(stop.signalled, stop.code, flush=True)\n"
        "    while True:\n"
        "        time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True 0\n", "")


def test_a_service_is_ended_in_time_where_no_handler_can_run():
    """The main thread is in one long call, as that of FFmpeg which waits for a camera that says nothing."""
    code = (
        "import hashlib, os, signal, sys, threading\n"
        "from streamer.terminal.stopping import Stop\n"
        "with Stop(service=True) as stop:\n"
        "    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "    hashlib.pbkdf2_hmac('sha1', b'', b'', 2**31 - 1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_left_of_a_service_that_ends_by_itself():
    threads = threading.active_count()
    with Stop(service=True):
        assert threading.active_count() == threads + 1
    assert signal.set_wakeup_fd(-1) == -1
    wait_until(lambda: threading.active_count() == threads, what="the end of its thread")


def test_a_hang_up_means_reading_again_to_a_service_without_a_terminal(monkeypatch):
    monkeypatch.setattr(stopping, "_has_terminal", lambda: False)
    with Stop(service=True) as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert [stop.signalled, stop.take_reload(), stop.take_reload()] == [False, True, False]
    monkeypatch.setattr(stopping, "_has_terminal", lambda: True)
    monkeypatch.setattr(stopping, "_speak_to_nobody", lambda: None)
    with Stop(service=True) as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert [stop.signalled, stop.take_reload()] == [True, False]
