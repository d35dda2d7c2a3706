"""What SAM is asked about an object."""

import numpy as np
import pytest

from streamer.tracking.prompting import prompt_for
from streamer.tracking.track_state import TrackState
from tests.tracking.fakes import GRID, disc


@pytest.mark.parametrize(("center", "boxed"), [((80, 48), True), ((4, 48), False), ((80, 92), False)])
def test_what_the_frame_cuts_off_is_asked_for_without_a_box(center, boxed):
    state = TrackState(1)
    state.show(disc(center, 20))
    prompt = prompt_for(state, np.zeros((96, 160), bool), GRID, negatives=2)
    assert (prompt.box is not None) is boxed
    assert set(prompt.point_labels) == {0, 1}
