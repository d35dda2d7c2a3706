"""Decoded frames as pictures: upright, with square pixels, of one size, and in the colors of an ordinary screen."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from streamer.data.original import Original
from streamer.sources.hdr import hdr_of, is_hdr
from streamer.sources.orientation import Orientation, Pixel, placed, size_within, square_size
from streamer.sources.tone_mapping import ToneMapper

_ORDINARY = frozenset({"yuv420p", "yuvj420p", "nv12"})
_ACCURATE = int(Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
_BYTE = 8


class Pictures:
    """Makes pictures of the frames of a stream. One of another size than the first is fitted between black bars.

    Args:
        stream: Tells the shape of the pixels.
        first: Its first frame.

    Attributes:
        size: (width, height) of the pictures [px].
        others: Frames so far that were of another size.
    """

    def __init__(self, stream: av.VideoStream, first: av.VideoFrame) -> None:
        self._stream = stream
        self._coded_size = first.width, first.height
        self._square_size = square_size(self._coded_size, stream.sample_aspect_ratio)
        self._orientation = Orientation.of(first)
        self._reformatter = VideoReformatter()
        self._tone_mapper: ToneMapper | None = None
        self.size = self._orientation.size(self._square_size)
        self.others = 0

    def picture_of(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """``(H, W, 3)`` uint8 RGB."""
        self.others += (frame.width, frame.height) != self._coded_size
        return self._upright(self._rgb(frame, self._size_of(frame)))

    def original_of(self, frame: av.VideoFrame, hdr: bool) -> Original | None:
        """The same with all its bits; None where 8 are all.

        Args:
            frame: Decoded.
            hdr: Whether HDR shall stay what it is; without it there is no more to a frame than its tone-mapped picture.
        """
        if frame.format.components[0].bits <= _BYTE or is_hdr(frame) != hdr:
            return None
        size = self._size_of(frame)
        image = self._reformatter.reformat(frame, *size, "rgb48le", interpolation=_ACCURATE).to_ndarray()
        return Original(self._upright(image), hdr=hdr_of(frame))

    def _size_of(self, frame: av.VideoFrame) -> tuple[int, int]:
        coded_size = frame.width, frame.height
        if coded_size == self._coded_size:
            return self._square_size
        return size_within(square_size(coded_size, self._stream.sample_aspect_ratio), self._square_size)

    def _upright(self, image: NDArray[Pixel]) -> NDArray[Pixel]:
        return self._orientation.upright(placed(image, self._square_size))

    def _rgb(self, frame: av.VideoFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The frame as ``(H, W, 3)`` uint8 at this (width, height), as an ordinary screen shows it."""
        if is_hdr(frame):
            if self._tone_mapper is None or not self._tone_mapper.takes(frame, size):
                self._tone_mapper = ToneMapper(frame, size)
            return self._tone_mapper.map(frame)
        same_size = (frame.width, frame.height) == size
        is_even = size[0] % 2 == 0 and size[1] % 2 == 0
        # The fast path takes a tenth of the time, and its colors are right within 1.2 of 255 in the mean; of deeper
        # pixels and of finer color that would be 2.
        fast = same_size and is_even and frame.format.name in _ORDINARY
        rgb = self._reformatter.reformat(
            frame, *size, "rgb24", interpolation=Interpolation.FAST_BILINEAR if fast else _ACCURATE
        )
        image: NDArray[np.uint8] = rgb.to_ndarray()
        return image
