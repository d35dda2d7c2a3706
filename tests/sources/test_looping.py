"""A recording that begins again."""

from fractions import Fraction

import numpy as np

from streamer.sources.arrays import ArraySource
from streamer.sources.looping import LoopingSource
from streamer.sources.open import open_source
from tests.videos import make_video, number_of


def images(count=3):
    return [np.full((8, 8, 3), 10 * number, np.uint8) for number in range(count)]


def test_frames_come_again_and_indices_and_times_go_on():
    def reopen():
        return ArraySource(images(), rate_hz=Fraction(10))

    with LoopingSource(reopen(), reopen) as source:
        frames = [source.read() for _ in range(7)]
    assert [int(frame.image_rgb[0, 0, 0]) for frame in frames] == [0, 10, 20, 0, 10, 20, 0]
    assert [frame.index for frame in frames] == list(range(7))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(7) / 10)


def test_what_gives_no_frame_ends():
    class Empty(ArraySource):
        def _read(self):
            return None

    with LoopingSource(Empty(images()), lambda: Empty(images())) as source:
        assert source.read() is None


def test_a_video_is_opened_again(tmp_path):
    path = tmp_path / "clip.mp4"
    make_video(path, 4)
    with open_source(str(path), loop=True) as source:
        frames = [source.read() for _ in range(6)]
    assert [number_of(frame.image_rgb) for frame in frames] == [0, 1, 2, 3, 0, 1]
    assert source.info.path is None, "its sound ends with the first round"
