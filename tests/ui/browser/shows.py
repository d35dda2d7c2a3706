"""A view in the browser without a run behind it, and results to show there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.data.track import State, Track
from streamer.ui.browser.address import Address
from streamer.ui.browser.browser import Browser
from streamer.ui.overlay import Style

SIZE = 320, 240
INFO = SourceInfo(name="door", size=SIZE, rate_hz=Fraction(25), time_base=None, live=True)


def result(index: int, ids: tuple[int, ...] = (), label: str = "cup") -> Result:
    """A frame with a square for each object."""
    image = np.full((240, 320, 3), (40, 60, 80), np.uint8)
    tracks = []
    for number in ids:
        mask = np.zeros((240, 320), bool)
        mask[40:100, 60 * number : 60 * number + 50] = True
        box = 60.0 * number, 40.0, 60.0 * number + 50, 100.0
        tracks.append(Track(number, mask, box, 0.9, State.TRACKED, label=label if number == 1 else None))
    return Result(Frame(index, index / 25, image, time.monotonic()), tuple(tracks))


@contextmanager
def browser(
    host: str = "127.0.0.1", token: str | None = None, warn: Callable[[str], None] = print, text: bool = False
) -> Iterator[Browser]:
    """A view at a free port."""
    can = {"masks": True, "depth": True} | ({"text": True} if text else {})
    shown = Browser(Address(host, 0), token, Style(), can, warn)
    shown.begin(INFO)
    try:
        yield shown
    finally:
        shown.close()


def port_of(shown: Browser) -> int:
    return int(shown.url.split(":")[2].split("/")[0])
