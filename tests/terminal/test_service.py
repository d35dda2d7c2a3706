"""What a supervisor is told, on a real socket."""

import socket

import pytest

from streamer.terminal.service import Supervisor


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture(params=["file", "abstract"])
def systemd(request, tmp_path):
    """The supervisor's end, and its name."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@streamer-test-{id(request)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name.replace("@", "\0"))
        heard.settimeout(5)
        yield heard, name


def test_it_is_told_when_the_run_is_up_and_now_and_then_what_it_does_and_that_it_lives(systemd):
    heard, name = systemd
    clock = Clock()
    supervisor = Supervisor({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000"}, clock)
    supervisor.alive("waiting for the source")
    assert heard.recv(500) == b"READY=1\nSTATUS=waiting for the source\nWATCHDOG=1"
    supervisor.alive("waiting for the source")
    for frame in range(61):
        clock.now_s = frame / 30
        supervisor.alive(f"running, {frame} frames")
    supervisor.stopping()
    heard.settimeout(0.2)
    assert heard.recv(500) == b"STATUS=running, 30 frames\nWATCHDOG=1"
    assert heard.recv(500) == b"STATUS=running, 60 frames\nWATCHDOG=1"
    assert heard.recv(500) == b"STOPPING=1", "a word a second, not one a frame"


def test_nobody_is_told_where_nobody_listens(tmp_path):
    Supervisor({}).alive("running")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive("running")
