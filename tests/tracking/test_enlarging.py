import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.mask import box_of
from streamer.motion.pyramid import Grid
from streamer.tracking.enlarging import on_frame

sides = st.integers(64, 1300)


@given(st.tuples(sides, sides), st.integers(0, 2**32 - 1), st.booleans())
def test_enlarging_a_part_equals_enlarging_all(frame_size, seed, touches_the_border):
    grid, rng = Grid.of(frame_size, 424), np.random.default_rng(seed)
    soft = np.zeros(grid.size[::-1], np.uint8)
    columns, rows = (sorted(rng.integers(0, side + 1, 2)) for side in grid.size)
    part = soft[slice(*rows), slice(0 if touches_the_border else columns[0], columns[1])]
    part[:] = rng.integers(0, 256, part.shape)
    whole = grid.enlarge(soft)
    mask, box = on_frame(soft, grid)
    undecided = (whole == 127) | (whole == 128)  # OpenCV's weights are rounded a little differently
    assert np.array_equal(mask[~undecided], whole[~undecided] > 127)
    assert box == box_of(mask)


def test_nothing_has_no_box():
    grid = Grid.of((1280, 720), 424)
    mask, box = on_frame(np.zeros(grid.size[::-1], np.uint8), grid)
    assert mask.shape == (720, 1280)
    assert not mask.any()
    assert box is None
