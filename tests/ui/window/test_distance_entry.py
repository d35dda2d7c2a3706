"""A distance is typed as on any keyboard."""

import pytest

from streamer.ui.window.distance_entry import DistanceEntry
from streamer.ui.window.events import KnownDistance

ENTER, ESCAPE, BACKSPACE = 13, 27, 8


def typed(keys):
    entry, said = DistanceEntry(320.4, 240.0), None
    for key in keys:
        said = entry.press(key if isinstance(key, int) else ord(key)) or said
    return entry, said


@pytest.mark.parametrize(
    ("keys", "meters"),
    [("1.25", 1.25), ("1,25", 1.25), ("12", 12), (".5", 0.5), ("1..5", 1.5), (["9", BACKSPACE, "3"], 3), ("2xq", 2)],
)
def test_a_number_and_enter(keys, meters):
    entry, said = typed([*keys, ENTER])
    assert (entry.done, said) == (True, KnownDistance(320.4, 240.0, meters))


@pytest.mark.parametrize("keys", ["", ".", "0", "0.0"])
def test_what_is_no_distance_is_not_taken(keys):
    entry, said = typed([*keys, ENTER])
    assert (entry.done, said) == (False, None)


def test_escape_ends_it_and_the_person_sees_what_is_typed():
    entry, _ = typed("1.2")
    assert entry.prompt == "distance of 320,240 from the camera: 1.2_ m (enter, or esc)"
    assert entry.press(ESCAPE) is None
    assert entry.done
