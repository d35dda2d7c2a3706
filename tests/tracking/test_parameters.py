"""What can be set about tracking."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.reason import Reason
from streamer.tracking import parameters as constants
from streamer.tracking.parameters import KeyframeTriggers, TrackingParameters, UpdateThresholds


def test_trouble_has_a_name():
    triggers = KeyframeTriggers()
    assert triggers.reason(0.1, 1.1, 0.8) is None
    assert triggers.reason(0.9, 1.1, 0.8) is Reason.POINTS_LOST
    assert triggers.reason(0.1, 3.0, 0.8) is Reason.AREA_JUMP
    assert triggers.reason(0.1, 0.3, 0.8) is Reason.AREA_JUMP
    assert triggers.reason(0.1, 1.1, 0.1) is Reason.LOOKS_DIFFERENT
    assert KeyframeTriggers(enabled=False).reason(1.0, 100.0, 0.0) is None


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0, 0.5))
def test_quality_decays_frame_by_frame(first, second, decay):
    update = UpdateThresholds(decay=decay)
    product = update.quality_after(first) * update.quality_after(second)
    assert math.isclose(product, update.quality_after(first + second), rel_tol=1e-9)


def test_a_guess_is_looked_for_elsewhere_as_well():
    assert TrackingParameters().redetection.min_score > constants.GUESS_SCORE


def test_parameters_are_frozen_and_know_their_keys():
    with pytest.raises(ValueError, match="frozen"):
        TrackingParameters().max_objects = 3
    with pytest.raises(ValueError, match="Extra inputs"):
        TrackingParameters(likeness=1)
