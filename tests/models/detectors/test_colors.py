"""Colors by their names."""

import numpy as np
import pytest

from streamer.models.detectors.colors import COLORS, share_of_color

PAINTS = {
    "red": (210, 25, 35), "orange": (245, 130, 20), "yellow": (250, 220, 30), "green": (30, 140, 50),
    "blue": (30, 80, 200), "purple": (120, 40, 160), "pink": (250, 150, 190), "brown": (110, 65, 30),
    "white": (245, 245, 240), "gray": (128, 128, 130), "black": (15, 15, 18),
}  # fmt: skip
BOX = 10, 10, 50, 50


def painted(color):
    image = np.full((60, 60, 3), 90, np.uint8)
    image[10:50, 10:50] = color
    return image


@pytest.mark.parametrize("name", PAINTS)
def test_a_painted_square_has_its_color_and_no_other(name):
    shares = {other: share_of_color(painted(PAINTS[name]), BOX, other) for other in set(COLORS.values())}
    assert shares.pop(name) > 0.95
    assert max(shares.values()) < 0.05


def test_only_the_middle_of_the_box_counts():
    image = painted(PAINTS["red"])
    image[10:14] = image[46:50] = PAINTS["green"]
    assert share_of_color(image, BOX, "red") > 0.95


def test_boxes_beyond_the_image_have_what_is_on_it():
    assert share_of_color(painted(PAINTS["red"]), (-20, -20, 200, 200), "red") > 0.5
    assert share_of_color(painted(PAINTS["red"]), (70, 70, 90, 90), "red") == 0.0
