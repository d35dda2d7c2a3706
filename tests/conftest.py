"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

import streamer  # noqa: F401  (before any test imports PyAV: see streamer.ui.window.xcb)


def pytest_configure(config: pytest.Config) -> None:
    """Let the many programs that tests start keep compiled modules somewhere, where they otherwise may not.

    Compiling torch anew takes each of them three seconds.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) and config.cache is not None:
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.cache.mkdir("pycache"))


@pytest.fixture(scope="session")
def virtual_display() -> Iterator[str]:
    """A real X server of 1400x1000 pixels without a screen; DISPLAY names it while the tests of the session run."""
    for tool in ("Xvfb", "xdotool"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x1000x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as numbers:
        number = numbers.readline().strip()  # Xvfb picks a free one and says so once it answers
    if not number:
        server.wait()
        pytest.skip("Xvfb does not start here")
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = f":{number}"
    yield os.environ["DISPLAY"]
    if before is None:
        del os.environ["DISPLAY"]
    else:
        os.environ["DISPLAY"] = before
    server.terminate()
    server.wait(timeout=5)
