"""A data set in COCO's format: one JSON file with every picture, every sure object on it, and the categories."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from streamer.data.categories import Categories, sure_tracks
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.data.track import Track
from streamer.sinks.outputs import make_room, partial_path, replacing, unwritable
from streamer.sinks.rle import rle_of

_FIRST_SAVE = 64
"""Frames before the file is first saved; then whenever there are twice as many, so that saving costs twice the end."""


class CocoSink:
    """Collects annotations with their masks as RLE, boxes, areas, and beside COCO's own keys the track and its score.

    Categories are the objects' labels, from 1 in the order of their first appearance. Objects that are uncertain or
    lost are left out: whoever learns from a data set believes it. While the run goes on the file is saved now and then
    as ``<name>.partial.json``, whole each time.

    Args:
        path: Where to.
        info: The source; pictures keep their names, frames of a video are called ``00000.jpg`` as `--yolo` does.

    Raises:
        SinkError: The file cannot be written.
    """

    def __init__(self, path: Path, info: SourceInfo) -> None:
        make_room(path)
        self.name = path.name
        self._path, self._partial = path, partial_path(path)
        self._files = {file.stem: file.name for folder in info.folders for file in folder.iterdir()}
        self._categories = Categories()
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._save_at = _FIRST_SAVE
        self._info = {"description": info.name}
        self._closed = False

    def write(self, result: Result) -> None:
        """Take the objects of one frame.

        Raises:
            SinkError: The file cannot be saved.
        """
        width, height = result.frame.size
        image = {"id": len(self._images) + 1, "width": width, "height": height, "frame_index": result.index}
        self._images.append(image | {"file_name": self._files.get(result.stem, f"{result.stem}.jpg")})
        for track in sure_tracks(result):
            self._annotations.append(self._annotation(track, len(self._images)))
        if len(self._images) >= self._save_at:
            self._save_at *= 2
            self._save()

    def close(self) -> None:
        """Write the file under its own name. May be called twice.

        Raises:
            SinkError: It cannot be written.
        """
        if self._closed:
            return
        self._closed = True
        self._save()
        try:
            if self._partial != self._path:
                os.replace(self._partial, self._path)
        except OSError as error:
            raise unwritable(self._path, error) from error

    def _save(self) -> None:
        names = enumerate(self._categories.names, start=1)
        data = {
            "info": self._info,
            "images": self._images,
            "annotations": self._annotations,
            "categories": [{"id": number, "name": name, "supercategory": ""} for number, name in names],
        }
        with replacing(self._partial) as growing:
            growing.write_text(json.dumps(data), encoding="utf-8")

    def _annotation(self, track: Track, image_id: int) -> dict[str, Any]:
        assert track.box_xyxy is not None
        x0, y0, x1, y1 = track.box_xyxy
        return {
            "id": len(self._annotations) + 1,
            "image_id": image_id,
            "category_id": self._categories.number_of(track) + 1,
            "segmentation": rle_of(track.mask),
            "area": int(np.count_nonzero(track.mask)),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "iscrowd": 0,
            "track_id": track.id,
            "score": round(float(track.score), 4),
        }
