"""What can be set about tracking."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.reason import Reason
from streamer.tracking.parameters import KeyframeTriggers, TrackingParameters


def test_trouble_has_a_name():
    triggers = KeyframeTriggers()
    assert triggers.reason(1.1, 0.8) is None
    assert triggers.reason(3.0, 0.8) is Reason.AREA_JUMP
    assert triggers.reason(0.3, 0.8) is Reason.AREA_JUMP
    assert triggers.reason(1.1, 0.1) is Reason.LOOKS_DIFFERENT
    assert KeyframeTriggers(enabled=False).reason(100.0, 0.0) is None


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 0.5))
def test_quality_decays_frame_by_frame(first, second, decay):
    update = TrackingParameters(decay=decay)
    product = update.quality_after(first) * update.quality_after(second)
    assert math.isclose(product, update.quality_after(first + second), rel_tol=1e-9)


def test_parameters_are_frozen_and_know_their_keys():
    with pytest.raises(ValueError, match="frozen"):
        TrackingParameters().max_objects = 3
    with pytest.raises(ValueError, match="Extra inputs"):
        TrackingParameters(likeness=1)
