"""A frame refuses what is no picture."""

import numpy as np
import pytest

from streamer.data.frame import Frame


def test_a_frame_says_what_it_is_without_its_pixels():
    frame = Frame(7, 0.28, np.zeros((48, 64, 3), np.uint8), 12.5)
    assert frame.size == (64, 48)
    assert repr(frame) == "Frame(index=7, time_s=0.280, size=64x48)"
    assert frame.stem is None


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 64), np.uint8), np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3), np.float32)],
    ids=["gray", "with alpha", "float"],
)
def test_what_is_no_rgb_picture_is_refused_with_what_it_was(image):
    with pytest.raises(ValueError, match=r"must be \(H, W, 3\) uint8, but it is") as caught:
        Frame(0, 0.0, image, 0.0)
    assert str(caught.value).endswith(f"{image.shape} {image.dtype}.")


def test_the_picture_is_shared_and_frames_are_themselves():
    image = np.zeros((4, 6, 3), np.uint8)
    one, other = Frame(0, 0.0, image, 0.0), Frame(0, 0.0, image, 0.0)
    assert one.image_rgb is image
    assert one != other, "comparing pictures pixel by pixel would be slow, and no truth value"
    assert len({one, other}) == 2
