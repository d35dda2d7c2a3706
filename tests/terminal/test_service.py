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


def test_it_is_told_when_the_run_is_up_what_it_does_and_that_it_lives(systemd):
    heard, name = systemd
    clock = Clock()
    supervisor = Supervisor({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000"}, clock)
    supervisor.alive("waiting for the source")
    assert heard.recv(500) == b"READY=1\nSTATUS=waiting for the source\nWATCHDOG=1"
    supervisor.alive("waiting for the source")
    clock.now_s = 0.5
    supervisor.alive("running")
    assert heard.recv(500) == b"STATUS=running"
    clock.now_s = 1.0
    supervisor.alive("running")
    assert heard.recv(500) == b"WATCHDOG=1"
    supervisor.stopping()
    assert heard.recv(500) == b"STOPPING=1"


def test_nobody_is_told_where_nobody_listens(tmp_path):
    Supervisor({}).alive("running")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive("running")
