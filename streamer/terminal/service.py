"""What a supervisor such as systemd is told: that the run is up, that it is alive, and what it does (`sd_notify`)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

_STATUS_EVERY_S = 1.0
"""Each word costs the frame loop a system call, and the supervisor a wake-up."""


class Supervisor:
    """Speaks to whoever started the program, where that is somebody who listens; to nobody otherwise.

    The protocol is that of ``sd_notify(3)``: datagrams to the socket that ``NOTIFY_SOCKET`` names. A sign of life goes
    out twice as often as ``WATCHDOG_USEC`` asks for, and only while the frame loop turns: one that hangs is restarted.

    Args:
        environment: Where the supervisor is named.
        clock: Monotonic clock [s].
    """

    def __init__(
        self, environment: Mapping[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        interval_us = int(environment.get("WATCHDOG_USEC", "0"))
        self._every_s = interval_us / 2e6 if interval_us else None
        self._clock = clock
        self._living_at_s = self._status_at_s = -float("inf")
        self._status, self._ready = "", False

    def alive(self, status: str) -> None:
        """The loop turns, and this is what it does; call it as often as you like."""
        if not self._address:
            return
        lines = [] if self._ready else ["READY=1"]
        now_s = self._clock()
        if status != self._status and now_s - self._status_at_s >= _STATUS_EVERY_S:
            lines.append(f"STATUS={status}")
            self._status, self._status_at_s = status, now_s
        if self._every_s is not None and now_s - self._living_at_s >= self._every_s:
            lines.append("WATCHDOG=1")
            self._living_at_s = now_s
        self._ready = True
        self._send(lines)

    def stopping(self) -> None:
        """The run is about to end."""
        self._send(["STOPPING=1"])

    def _send(self, lines: list[str]) -> None:
        if not self._address or not lines:
            return
        # A name that begins with @ lies in the abstract namespace of Linux.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.setblocking(False)
                to.sendto("\n".join(lines).encode(), address)
        except OSError:
            pass  # it is gone, or has no room: nothing that the run should end for
