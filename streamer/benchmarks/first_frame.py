"""``python -m streamer.benchmarks.first_frame live CLIP``: the command with a window that ends it at its first picture.

Everything is as in ``streamer live``, but for the desktop's own window, which a machine without a screen has not.
"""

from __future__ import annotations

import os
import runpy
from typing import Any


class FirstPicture:
    """In the place of the window."""

    def show(self, drawing: Any, result: Any, status: Any = None) -> None:
        """The first picture is there."""
        os._exit(0)


def main() -> None:
    """Run ``python -m streamer`` with it."""
    from streamer.session import live, live_window

    live.can_show = lambda otherwise, terminal: True
    live_window.open_window = lambda info, style: FirstPicture()  # type: ignore[assignment,return-value]
    runpy.run_module("streamer", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
