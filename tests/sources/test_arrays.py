"""Pictures handed in by the caller's own code."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.sources.arrays import ArraySource


def make_image(level: int, height: int = 4, width: int = 6) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_arrays_become_frames_one_at_a_time() -> None:
    made = []

    def make() -> Iterator[np.ndarray]:
        for level in range(5):
            made.append(level)
            yield make_image(level)

    source = ArraySource(make(), rate_hz=20)
    assert made == [0]
    frames = list(iter(source.read, None))
    assert [int(frame.image_rgb[0, 0, 0]) for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert source.info.size == (6, 4)
    assert source.info.frame_count is None


def test_a_list_tells_its_length_and_views_become_contiguous() -> None:
    source = ArraySource([make_image(1)[:, ::-1]])
    assert source.info.frame_count == 1
    frame = source.read()
    assert frame is not None
    assert frame.image_rgb.flags.c_contiguous


def test_closing_closes_the_generator() -> None:
    closed = []

    def make() -> Iterator[np.ndarray]:
        try:
            while True:
                yield make_image(0)
        finally:
            closed.append(True)

    source = ArraySource(make())
    source.read()
    source.close()
    assert closed == [True]
    assert source.read() is None


@pytest.mark.parametrize("wrong", [make_image(0)[..., 0], make_image(0).astype(np.float32), [[1, 2, 3]], "text"])
def test_what_is_no_picture_is_refused(wrong: object) -> None:
    with pytest.raises(SourceError, match=r"must be an \(H, W, 3\) uint8 RGB array"):
        ArraySource([wrong])


def test_nothing_and_changing_sizes_are_refused() -> None:
    with pytest.raises(SourceError, match="holds no picture"):
        ArraySource([])
    source = ArraySource([make_image(0), make_image(0, height=5)])
    source.read()
    with pytest.raises(SourceError, match="Picture 1 is 6x5 but the first was 6x4"):
        source.read()


@pytest.mark.parametrize("live", [False, True])
def test_only_images_that_come_now_have_a_stamp(live: bool) -> None:
    source = ArraySource(iter([np.zeros((4, 6, 3), np.uint8)] * 2), live=live)
    before_ns = time.time_ns()
    frames = [source.read(), source.read()]
    stamps = [(frame.stamp_ns, frame.stamp_origin) for frame in frames if frame is not None]
    if live:
        assert all(before_ns <= stamp_ns <= time.time_ns() and origin == "arrival" for stamp_ns, origin in stamps)
    else:
        assert stamps == [(None, None)] * 2
