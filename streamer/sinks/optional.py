"""Outputs whose libraries are not installed with the rest."""

from __future__ import annotations

from importlib.util import find_spec

from streamer.errors import SinkError

_LIBRARIES = {"--mcap": ("mcap_ros2", "mcap-ros2-support")}
"""What an option imports, and the package that has it."""


def require(option: str) -> None:
    """Refuse an output whose library is missing.

    Raises:
        SinkError: It is; the message has the command that installs it.
    """
    module, package = _LIBRARIES[option]
    if find_spec(module) is None:
        raise SinkError(f"{option} needs a library that is not installed: run `uv pip install {package}`.")
