"""Addresses of network streams, and what of them may be shown."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_SECRET = re.compile(r"pass|pwd|token|secret|auth|key=", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether the text is an address such as ``rtsp://host/path`` rather than a path."""
    return _SCHEME.match(text) is not None


def redact(url: str) -> str:
    """The address without anything that could be a credential: for messages and logs.

    User and password go, as do query and fragment (many cameras take the password there), and parts of the path
    that name a secret. Passwords with an unescaped ``@``, ``/`` or ``?`` break the syntax of URLs, hence everything
    before the *last* ``@`` is taken for one: rather show too little than leak.
    """
    match = _SCHEME.match(url)
    scheme, rest = (match.group(0), url[match.end() :]) if match else ("", url)
    rest = rest.rpartition("@")[2]
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    return scheme + "/".join("***" if _SECRET.search(part) else part for part in rest.split("/"))


def short_name(url: str) -> str:
    """A name fit for people and for file names: ``rtsp://user:password@10.0.0.5:554/live/1`` is ``10.0.0.5-1``."""
    host, _, path = _SCHEME.sub("", redact(url)).partition("/")
    last = path.rstrip("/").rpartition("/")[2]
    words = [host.partition(":")[0], last.rpartition(".")[0] or last]
    return re.sub(r"[^\w.-]+", "_", "-".join(word for word in words if word)) or "stream"
