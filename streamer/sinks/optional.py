"""Outputs whose libraries are not installed with the rest."""

from __future__ import annotations

from importlib.util import find_spec

from streamer.errors import SinkError

_LIBRARIES = {
    "--mcap": {"mcap_ros2": "mcap-ros2-support"},
    "--rerun": {"rerun": "rerun-sdk"},
    "--foxglove": {"foxglove": "foxglove-sdk", "mcap_ros2": "mcap-ros2-support"},
    "--points-format glb": {"trimesh": "trimesh"},
}
"""What an option imports, and the packages that have it."""


def require(option: str) -> None:
    """Refuse an output whose library is missing.

    Raises:
        SinkError: It is; the message has the command that installs it.
    """
    missing = [package for module, package in _LIBRARIES[option].items() if find_spec(module) is None]
    if missing:
        raise SinkError(f"{option} needs a library that is not installed: run `uv pip install {' '.join(missing)}`.")
