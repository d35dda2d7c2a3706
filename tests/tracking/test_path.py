"""Constant velocity."""

import pytest

from streamer.tracking.path import Path
from tests.tracking.fakes import disc


def test_a_path_goes_on_at_its_velocity():
    path = Path()
    assert path.expected_box() is None
    for step in range(30):
        path.follow(disc((30 + 3 * step, 48), 10))
    x0, y0, _, _ = path.expected_box()
    assert (x0, y0) == pytest.approx((30 + 3 * 30 - 10, 38), abs=1)
