"""When a stage that looks at intervals is due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stages.protocol import Situation, due_at_interval


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        (Situation(0), "first"),
        (Situation(9, None, scene_cut=True, held=True), "first"),
        (Situation(9, 5, scene_cut=True), "scene cut"),
        (Situation(9, 5, held=True), "held"),
        (Situation(9, 9, held=True), None),
        (Situation(9, 5), None),
        (Situation(10, 5), "interval"),
        (Situation(10, 5, calm=True), "interval"),
    ],
)
def test_reasons(situation, reason):
    assert due_at_interval(situation, 5) == reason


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 30))
def test_between_two_intervals_nothing_is_due(last, since, interval):
    assert (due_at_interval(Situation(last + since, last), interval) is not None) == (since >= interval)
