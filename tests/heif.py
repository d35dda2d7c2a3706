"""HEIC photos as phones write them: a grid of tiles, none of which is the picture."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np


def make_heic(path: Path, image: np.ndarray, tile: int = 64) -> Path:
    """Write an ``(H, W, 3)`` uint8 RGB image, each side a multiple of ``tile``, as a HEIC of tiles."""
    rows, columns = image.shape[0] // tile, image.shape[1] // tile
    tiles = [
        image[tile * row : tile * (row + 1), tile * column : tile * (column + 1)]
        for row in range(rows)
        for column in range(columns)
    ]
    header, datas = _encoded(tiles)
    grid = bytes([0, 0, rows - 1, columns - 1]) + _u16(image.shape[1]) + _u16(image.shape[0])
    grid_id = len(tiles) + 1
    items = [(number, b"hvc1", 1) for number in range(1, grid_id)] + [(grid_id, b"grid", 0)]
    entries = b"".join(
        _full_box(b"infe", 2, hidden, _u16(number) + _u16(0) + kind + b"\0") for number, kind, hidden in items
    )
    reference = _box(b"dimg", _u16(grid_id) + _u16(len(tiles)) + b"".join(_u16(n) for n in range(1, grid_id)))
    sizes = [_full_box(b"ispe", 0, 0, _u32(w) + _u32(h)) for w, h in ((tile, tile), image.shape[1::-1])]
    pixels = _full_box(b"pixi", 0, 0, bytes([3, 8, 8, 8]))
    properties = _box(b"ipco", header + sizes[0] + sizes[1] + pixels)
    of_tiles = b"".join(_u16(number) + bytes([3, 0x81, 2, 4]) for number in range(1, grid_id))
    associations = _full_box(b"ipma", 0, 0, _u32(grid_id) + of_tiles + _u16(grid_id) + bytes([2, 3, 4]))

    def meta(start: int) -> bytes:
        places, at = b"", start
        for number, data in enumerate([*datas, grid], 1):
            places += _u16(number) + _u16(0) + _u16(1) + _u32(at) + _u32(len(data))
            at += len(data)
        return _full_box(
            b"meta",
            0,
            0,
            _full_box(b"hdlr", 0, 0, _u32(0) + b"pict" + bytes(13))
            + _full_box(b"pitm", 0, 0, _u16(grid_id))
            + _full_box(b"iloc", 0, 0, bytes([0x44, 0]) + _u16(grid_id) + places)
            + _full_box(b"iinf", 0, 0, _u16(grid_id) + entries)
            + _full_box(b"iref", 0, 0, reference)
            + _box(b"iprp", properties + associations),
        )

    kind = _box(b"ftyp", b"heic" + _u32(0) + b"mif1heic")
    start = len(kind) + len(meta(0)) + 8
    path.write_bytes(kind + meta(start) + _box(b"mdat", b"".join(datas) + grid))
    return path


def _encoded(tiles: list[np.ndarray]) -> tuple[bytes, list[bytes]]:
    """The tiles in HEVC, and the box that tells how to decode them."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        parameters = "log-level=none:keyint=1:bframes=0:qp=4:min-cu-size=8:ctu=16"
        stream = container.add_stream("libx265", rate=25, options={"x265-params": parameters})
        stream.width, stream.height, stream.pix_fmt = tiles[0].shape[1], tiles[0].shape[0], "yuv420p"
        stream.codec_context.codec_tag = "hvc1"
        for tile in tiles:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(tile, format="rgb24")))
        container.mux(stream.encode(None))
    content = memory.getvalue()
    place = content.index(b"hvcC") - 4
    header = content[place : place + int.from_bytes(content[place : place + 4])]
    memory.seek(0)
    with av.open(memory) as container:
        return header, [bytes(packet) for packet in container.demux(video=0) if packet.size]


def _box(kind: bytes, content: bytes) -> bytes:
    return _u32(len(content) + 8) + kind + content


def _full_box(kind: bytes, version: int, flags: int, content: bytes) -> bytes:
    return _box(kind, bytes([version]) + flags.to_bytes(3) + content)


def _u16(value: int) -> bytes:
    return value.to_bytes(2)


def _u32(value: int) -> bytes:
    return value.to_bytes(4)
