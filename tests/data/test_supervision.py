"""What supervision's annotators and filters get."""

import numpy as np
import pytest
import supervision

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.errors import ConfigError

MASK = np.zeros((40, 60), bool)
MASK[10:20, 5:25] = True
BOX = (5.0, 10.0, 25.0, 20.0)
RESULT = Result(
    Frame(0, 0.0, np.zeros((40, 60, 3), np.uint8), 0.0),
    (
        Track(3, MASK, BOX, 0.75, State.TRACKED, label="cup", position_m=(0.1, 0.2, 1.5)),
        Track(5, MASK, BOX, 0.5, State.UNCERTAIN),
        Track(6, MASK & False, None, 0.1, State.LOST, label="dog"),
    ),
)


def test_everything_in_view_is_there():
    detections = RESULT.to_supervision()
    assert len(detections) == 2
    assert detections.tracker_id.tolist() == [3, 5]
    assert detections.data["class_name"].tolist() == ["cup", "object"]
    assert detections.data["state"].tolist() == ["tracked", "uncertain"]
    np.testing.assert_allclose(detections.data["position_m"], [(0.1, 0.2, 1.5), (np.nan,) * 3])
    np.testing.assert_array_equal(detections.mask, [MASK, MASK])
    np.testing.assert_allclose(detections.confidence, [0.75, 0.5])
    assert len(detections[detections.confidence > 0.6]) == 1


def test_numbers_of_categories_can_be_given():
    assert RESULT.to_supervision(["dog", "cup"]).class_id.tolist() == [1, 2]


def test_its_annotators_draw_it():
    image = np.zeros((40, 60, 3), np.uint8)
    drawn = supervision.MaskAnnotator().annotate(image.copy(), RESULT.to_supervision())
    assert drawn[15, 10].any()
    assert not drawn[30, 40].any()


def test_nothing_in_view_is_empty():
    assert len(Result(RESULT.frame).to_supervision()) == 0


def test_a_missing_library_is_said_with_the_command(monkeypatch):
    monkeypatch.setattr("streamer.data.supervision.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="uv pip install supervision"):
        RESULT.to_supervision()
