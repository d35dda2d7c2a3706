"""The JSON lines and the schema that describes them."""

import json
from pathlib import Path

import jsonschema
import pytest

import streamer
from streamer.data.camera_model import Provenance
from streamer.sinks import lines
from streamer.sinks.jsonl import header_of, line_of, to_text
from streamer.sinks.lines import DroppedLine
from tests.sinks.test_jsonl import INFO, result, track

FILE = Path(lines.__file__).with_name("results.schema.json")
WRITE_IT = "import json, streamer; print(json.dumps(streamer.schema(), indent=2))"


def test_the_file_says_what_the_library_says():
    assert json.loads(FILE.read_text()) == streamer.schema(), f"python -c '{WRITE_IT}' > {FILE}"


def test_every_kind_of_line_fits_the_schema(full_result):
    check = jsonschema.Draft202012Validator(streamer.schema())
    for line in (header_of(INFO, full_result), line_of(full_result), DroppedLine(count=3, first_index=4, last_index=9)):
        check.validate(json.loads(to_text(line)))


def test_the_schema_refuses_what_is_no_line(full_result):
    check = jsonschema.Draft202012Validator(streamer.schema())
    line = json.loads(to_text(line_of(full_result)))
    for broken in ({**line, "type": "picture"}, {**line, "more": 1}, {**line, "index": "7"}, {"type": "frame"}):
        assert not check.is_valid(broken)


@pytest.fixture
def full_result():
    import numpy as np

    from streamer.data.reason import Reason
    from streamer.data.result import StageStatus
    from streamer.data.track import DepthStats, State

    mask = np.ones((2, 5), bool)
    lost = track(~mask, id=4, box_xyxy=None, state=State.LOST, score=float("nan"))
    seen = track(mask, depth=DepthStats(1.0, 2.0, float("inf"), now=2.0), age_s=0.25)
    stages = {"masks": StageStatus(Reason.FIRST, 0, 0.0), "depth": StageStatus()}
    return result(seen, lost, depth_map=np.ones((2, 5), np.float32), stages=stages, timings_ms={"flow": 1.5})


def test_the_lines_know_every_way_in_which_a_camera_is_known():
    told = streamer.schema()["$defs"]["CameraLine"]["properties"]["provenance"]["enum"]
    assert told == [str(way) for way in Provenance]
