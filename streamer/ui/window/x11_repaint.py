"""Wakes windows that the X server shows and Qt does not paint.

The Qt 5 inside OpenCV's wheels loses events of the X server while the processor is busy, MapNotify among them: of 140
windows opened while both cores of a machine worked, 27 stayed black, of 200 at quieter moments 4. Being mapped again
is all that helps, and OpenCV has no call for that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

_PAUSES_S = (0.3, 0.5, 1.0, 2.0, 4.0)
_LEAST_SIDE_PX = 16


def wake_until_painted() -> None:
    """Look after the windows of this process that have just been opened. Takes its time: give it a thread."""
    for pause_s in _PAUSES_S:
        time.sleep(pause_s)
        if not wake_unpainted():
            return


def wake_unpainted() -> int:
    """Map all windows of this process again that are of one color all over, and say how many there were.

    Windows of other systems than X, and those that are hidden, count as painted.
    """
    from Xlib import error
    from Xlib.display import Display

    with (
        suppress(error.DisplayError, error.XError, error.ConnectionClosedError, OSError),
        closing(Display()) as display,
    ):
        unpainted = [window for window in _own_windows(display) if _is_plain(window)]
        for window in unpainted:
            window.unmap()
            window.map()
        display.sync()
        return len(unpainted)
    return 0


def _own_windows(display: Any) -> Iterator[Any]:
    """Those that the window manager lists, or, where there is none, all that are not inside others."""
    root = display.screen().root
    clients = root.get_full_property(display.intern_atom("_NET_CLIENT_LIST"), 0)
    windows = [display.create_resource_object("window", number) for number in clients.value] if clients else None
    for window in windows or root.query_tree().children:
        process = window.get_full_property(display.intern_atom("_NET_WM_PID"), 0)
        if process is not None and process.value[0] == os.getpid():
            yield window


def _is_plain(window: Any) -> bool:
    from Xlib import X

    size = window.get_geometry()
    if window.get_attributes().map_state != X.IsViewable or min(size.width, size.height) < _LEAST_SIDE_PX:
        return False
    pixels: bytes = window.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFFFF).data
    return pixels == pixels[:4] * (len(pixels) // 4)
