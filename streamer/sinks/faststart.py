"""The index of an MP4 or MOV in front of its pictures, so that it plays while it is still being fetched.

ISO/IEC 14496-12: a file is a row of boxes, each of a size (4 bytes, or 8 after a size of 1) and a name. ``moov`` is the
index; its ``stco`` and ``co64`` boxes hold the places of the pictures from the beginning of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_INSIDE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
"""Boxes that lead to the places."""


class _Box(NamedTuple):
    name: bytes
    begin: int
    body: int
    end: int


def index_first(source: Path, target: Path) -> bool:
    """Write ``source`` to ``target`` with the index right behind the file's type.

    Returns:
        Whether it was written: not where the index is in front already, or where there is none that can be moved.

    Raises:
        OSError: The disk is full, or a file cannot be read.
    """
    with source.open("rb") as file:
        boxes = list(_boxes(file, 0, source.stat().st_size))
        names = [box.name for box in boxes]
        if names.count(b"moov") != 1 or b"mdat" not in names or b"moof" in names or names[0] != b"ftyp":
            return False
        moov = boxes[names.index(b"moov")]
        if names.index(b"moov") < names.index(b"mdat"):
            return False
        file.seek(moov.begin)
        index = bytearray(file.read(moov.end - moov.begin))
        if not _shift(index, 0, len(index), boxes[0].end, moov):
            return False
        with target.open("wb") as moved:
            _copy(file, moved, boxes[0].begin, boxes[0].end)
            moved.write(index)
            _copy(file, moved, boxes[0].end, moov.begin)
            _copy(file, moved, moov.end, boxes[-1].end)
    return True


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[_Box]:
    while begin + 8 <= end:
        file.seek(begin)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            size, header = struct.unpack(">Q", file.read(8))[0], 16
        size = size or end - begin
        if size < header or begin + size > end:
            return
        yield _Box(name, begin, begin + header, begin + size)
        begin += size


def _shift(index: bytearray, begin: int, end: int, after: int, moov: _Box) -> bool:
    """Move every place in the index that lies between the file's type and where the index was by its size.

    Returns:
        Whether all of them still fit.
    """
    size = moov.end - moov.begin
    while begin + 8 <= end:
        length, name = struct.unpack_from(">I4s", index, begin)
        if length < 8 or begin + length > end:
            return False
        if name in _INSIDE and not _shift(index, begin + 8, begin + length, after, moov):
            return False
        form, width = {b"stco": ("I", 4), b"co64": ("Q", 8)}.get(name, ("", 0))
        if form:
            (count,) = struct.unpack_from(">I", index, begin + 12)
            places = struct.unpack_from(f">{count}{form}", index, begin + 16)
            moved = [place + size if after <= place < moov.begin else place for place in places]
            if moved and max(moved) >= 256**width:
                return False
            struct.pack_into(f">{count}{form}", index, begin + 16, *moved)
        begin += length
    return True


def _copy(source: BinaryIO, target: BinaryIO, begin: int, end: int) -> None:
    source.seek(begin)
    left = end - begin
    while left:
        block = source.read(min(left, 1 << 20))
        if not block:
            raise OSError(f"{left} bytes are missing")
        target.write(block)
        left -= len(block)
