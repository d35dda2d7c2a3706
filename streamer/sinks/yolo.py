"""A data set as Ultralytics' YOLO trains on it: pictures, one text file of outlines for each, and their names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from streamer.data.categories import Categories, sure_tracks
from streamer.data.result import Result
from streamer.sinks.image import write_image
from streamer.sinks.outputs import make_folder, replacing

Outline = NDArray[np.int32]

_LEAST_CORNERS = 3
_OUTLINE_PX = 0.7
"""How far a simplified outline may lie beside the mask's own [px]: below one pixel nobody sees it."""


class YoloSink:
    """Writes ``images/NAME.jpg``, ``labels/NAME.txt`` and ``data.yaml``.

    A line of a text file is one object: the number of its label, and its outline as x y pairs from 0 to 1. Parts of one
    object are joined by lines into one outline, and holes are filled, since the format has neither. Objects that are
    uncertain or lost are left out: whoever learns from a data set believes it. Every file is whole once it is written.

    Args:
        folder: Where to.

    Raises:
        SinkError: The folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{folder}/"
        self._folder = folder
        for part in ("images", "labels"):
            make_folder(folder / part)
        self._categories = Categories()
        self._told: list[str] | None = None

    def write(self, result: Result) -> None:
        """Write the picture and the outlines of one frame.

        Raises:
            SinkError: A file cannot be written.
        """
        lines = []
        for track in sure_tracks(result):
            outline = outline_of(track.mask)
            if len(outline) >= _LEAST_CORNERS:
                places = (outline + 0.5) / result.frame.size
                numbers = " ".join(f"{place:.6f}" for place in places.ravel().clip(0, 1))
                lines.append(f"{self._categories.number_of(track)} {numbers}\n")
        write_image(self._folder / "images" / f"{result.stem}.jpg", result.frame.image_rgb)
        _write(self._folder / "labels" / f"{result.stem}.txt", "".join(lines))
        if self._told != self._categories.names:
            self._tell_names()

    def close(self) -> None:
        """Nothing is left to do: each file is whole once it is written."""

    def _tell_names(self) -> None:
        self._told = list(self._categories.names)
        data = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(self._told))}
        _write(self._folder / "data.yaml", yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def outline_of(mask: NDArray[np.bool_]) -> Outline:
    """``(N, 2)`` corners (x, y) of a ``(H, W)`` mask's outline [px]; parts are joined where they are nearest."""
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    parts = [cv2.approxPolyDP(contour, _OUTLINE_PX, True)[:, 0] for contour in contours]
    parts = sorted((part for part in parts if len(part) >= _LEAST_CORNERS), key=cv2.contourArea, reverse=True)
    return _joined(parts) if parts else np.empty((0, 2), np.int32)


def _joined(parts: Iterable[Outline]) -> Outline:
    """One outline that goes out to each further part and back along the same line."""
    whole, *others = parts
    for part in others:
        apart = ((whole[:, None].astype(np.int64) - part[None]) ** 2).sum(axis=2)
        at, start = np.unravel_index(int(apart.argmin()), apart.shape)
        there = np.roll(part, -int(start), axis=0)
        whole = np.concatenate([whole[: at + 1], there, there[:1], whole[at:]])
    return whole


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
