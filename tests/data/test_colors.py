from itertools import combinations

import cv2
import numpy as np

from streamer.data.colors import color_of


def test_colors_are_stable_and_far_apart():
    colors = [color_of(object_id) for object_id in range(1, 11)]
    assert colors == [color_of(object_id) for object_id in range(1, 11)]
    lab = cv2.cvtColor(np.array([colors], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    distances = [np.linalg.norm(one - other) for one, other in combinations(lab, 2)]
    assert min(distances) > 30
    assert all(0 <= channel <= 255 for channel in color_of(12345))
