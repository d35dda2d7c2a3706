"""The ends and the middle of a map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from streamer.depth.ranks import extent, ranked

VALUES = hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(-100, 100, width=32))


@given(VALUES, st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_ranks_are_those_of_the_sorted_values(values, shares):
    expected = np.sort(values)[[round(share * (len(values) - 1)) for share in shares]]
    assert ranked(values, shares) == expected.tolist()


def test_the_extent_of_a_map_leaves_outliers_out():
    values = np.tile(np.linspace(0, 100, 400, dtype=np.float32), (100, 1))
    values[0, 0], values[4, 4] = 1e6, -1e6
    assert extent(values) == pytest.approx((2, 98), abs=1)
