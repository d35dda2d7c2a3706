import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.regions import around, corner, is_empty


@given(
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 31)), max_size=5),
    st.integers(0, 40),
)
def test_everything_lies_in_the_region_and_its_margin_reaches_no_farther_than_asked(places, margin):
    mask = np.zeros((24, 32), bool)
    for row, column in places:
        mask[row, column] = True
    region = around(mask, margin)
    assert is_empty(region) == (not places)
    assert np.count_nonzero(mask[region]) == np.count_nonzero(mask)
    if places:
        rows, columns = np.nonzero(mask)
        assert (corner(region) == (max(0, columns.min() - margin), max(0, rows.min() - margin))).all()
        height, width = mask[region].shape
        assert height == min(24, rows.max() + 1 + margin) - max(0, rows.min() - margin)
        assert width == min(32, columns.max() + 1 + margin) - max(0, columns.min() - margin)
