"""Where the view in the browser is served: host and port."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from streamer.errors import ServeError

DEFAULT = "127.0.0.1:8000"
_FORM = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]*):)?(?P<port>\d{1,5})", re.ASCII)
_SOMEWHERE = ("192.0.2.1", 9)
"""An address that leads nowhere (RFC 5737): asking for the way to it sends nothing and tells which address is ours."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen.

    Attributes:
        host: Name or IP address; ``0.0.0.0`` and ``::`` stand for every one of this machine.
        port: 0 for any that is free.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """``HOST:PORT``, ``PORT``, ``:PORT`` or ``[IPV6]:PORT``; without a host it is the loopback.

        Raises:
            ServeError: It does not look like that.
        """
        match = _FORM.fullmatch(text)
        if match is None or int(match["port"]) > 65535:
            raise ServeError(f"--serve {text!r} is no address: write HOST:PORT, as in {DEFAULT} or 0.0.0.0:8000.")
        return cls((match["host"] or "127.0.0.1").strip("[]"), int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host = _reachable(self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def is_loopback(host: str) -> bool:
    """Whether a name or an IP address means this machine and can mean nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reachable(host: str) -> str:
    """An address that others can use, where ``host`` stands for all of them."""
    if host not in ("0.0.0.0", "::"):
        return host
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
            outward.connect(_SOMEWHERE)
            return str(outward.getsockname()[0])
    except OSError:  # no network at all
        return socket.gethostname()
