"""Depth and labels in words."""

import pytest

from streamer.data.depth_unit import DepthUnit
from streamer.ui.readings import depth_text, label_text, map_text


@pytest.mark.parametrize(
    ("value", "unit", "text"), [(1.5, DepthUnit.METERS, "1.50 m"), (1.5, DepthUnit.RELATIVE, "1.50")]
)
def test_meters_are_told_as_such(value, unit, text):
    assert depth_text(value, unit) == text


@pytest.mark.parametrize(
    ("inverse_depth", "unit", "text"),
    [(0.5, DepthUnit.METERS, "2.00 m"), (0.0, DepthUnit.METERS, "1000.00 m"), (0.5, DepthUnit.RELATIVE, "0.50")],
)
def test_a_metric_map_is_read_in_meters(inverse_depth, unit, text):
    assert map_text(inverse_depth, unit) == text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("red ball", "red ball"),
        ("Überraschung, café", "Uberraschung, cafe"),
        ("犬 🐕", "? ?"),
        ("the small brown dog beside the tree", "the small brown dog b..."),
    ],
)
def test_labels_are_told_in_letters_that_can_be_drawn_and_no_more_than_a_few(label, text):
    assert label_text(label) == text
