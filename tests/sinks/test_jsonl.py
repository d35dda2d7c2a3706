import json
import os
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from streamer.data.frame import Frame, StampOrigin
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.data.source import SourceInfo
from streamer.data.track import DepthStats, State, Track
from streamer.errors import SinkError
from streamer.sinks.jsonl import JsonlSink, to_dict
from streamer.sinks.lines import MasksInJsonl
from streamer.sinks.outputs import STDOUT
from tests.disk import full_beyond

INFO = SourceInfo("dog", (5, 2), Fraction(30000, 1001), live=True)


def track(mask: np.ndarray, **changes: object) -> Track:
    values = {"id": 3, "mask": mask, "box_xyxy": (1.0, 0.0, 4.0, 2.0), "score": 0.91234567, "state": State.UNCERTAIN}
    return Track(**{**values, **changes})


def result(*tracks: Track, index: int = 0, **changes: object) -> Result:
    image, stamp_ns = np.zeros((2, 5, 3), np.uint8), 1_700_000_000_123_456_789 + index
    frame = Frame(index, index / 3, image, 0.0, stamp_ns=stamp_ns, stamp_origin=StampOrigin.DRIVER)
    return Result(frame, tracks, **changes)


def strict(line: str) -> dict:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(line, parse_constant=refuse)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools and NumPy 2
@settings(deadline=None)
@given(mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_masks_come_back_from_their_rle(mask: np.ndarray) -> None:
    (entry,) = strict(json.dumps(to_dict(result(track(mask)))))["objects"]
    assert entry["mask"]["size"] == list(mask.shape)
    assert np.array_equal(coco.decode(entry["mask"]), mask)


def test_a_line_holds_everything_about_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    mask = np.array([[0, 1, 1, 1, 0], [0, 0, 1, 0, 0]], bool)
    sink = JsonlSink(path, INFO)
    sink.write(
        result(
            track(
                mask,
                depth=DepthStats(lower=np.float32(0.25), median=0.5, upper=0.75, now=0.625),
                age_s=0.12345678,
                label="red ball",
            ),
            stages={"masks": StageStatus(Reason.INTERVAL, 0, 0.0), "depth": StageStatus(Reason.FIRST, 4, 4 / 30)},
            values={"depth": {"far": np.inf}},
            timings_ms={"flow": np.float32(1.23456)},
            model_timings_ms={"encode": 12.34567},
            latency_ms=12.34567,
        )
    )
    sink.write(result(index=5))
    sink.close()
    sink.close()
    header, first, second = map(strict, path.read_text().splitlines())
    assert header == {
        "type": "header",
        "schema_version": 1,
        "source": "dog",
        "size": [5, 2],
        "rate_hz": 30000 / 1001,
        "live": True,
        "masks": "rle",
        "depth_unit": None,
        "camera": None,
        "start_ns": 1_700_000_000_123_456_789,
        "start_s": 0.0,
    }
    assert first["objects"][0].pop("mask")["size"] == [2, 5]
    assert first == {
        "type": "frame",
        "schema_version": 1,
        "index": 0,
        "time_s": 0.0,
        "stamp_ns": 1_700_000_000_123_456_789,
        "stamp_origin": "driver",
        "latency_ms": 12.346,
        "depth_unit": None,
        "depth_error": None,
        "world_from_camera": None,
        "objects": [
            {
                "id": 3,
                "label": "red ball",
                "box_xyxy": [1.0, 0.0, 4.0, 2.0],
                "centroid": [2.0, 0.25],
                "score": 0.9123,
                "state": "uncertain",
                "age_s": 0.1235,
                "depth": {"median": 0.5, "lower": 0.25, "upper": 0.75, "now": 0.625, "unit": "relative", "error": None},
                "position_m": None,
            }
        ],
        "stages": {
            "masks": {"reason": "interval", "age": 0, "age_s": 0.0, "values": {}},
            "depth": {"reason": "first", "age": 4, "age_s": 0.1333, "values": {"far": None}},
        },
        "timings_ms": {"flow": 1.235},
        "model_timings_ms": {"encode": 12.346},
    }
    assert (second["index"], second["time_s"], second["objects"], second["stages"]) == (5, 5 / 3, [], {})
    assert [entry.name for entry in path.parent.iterdir()] == ["a.jsonl"]


@settings(deadline=None)
@given(number=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_numbers_that_json_cannot_hold_are_null(tmp_path_factory: pytest.TempPathFactory, number: float) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    lost = track(np.zeros((2, 5), bool), box_xyxy=None, score=number, depth=DepthStats(number, 1.0, number, now=1.0))
    sink = JsonlSink(path, INFO)
    sink.write(result(lost, timings_ms={"flow": number}))
    sink.close()
    _, line = map(strict, path.read_text().splitlines())
    assert line["objects"][0]["box_xyxy"] is None
    assert line["objects"][0]["score"] is None
    depth = {"lower": None, "median": 1.0, "upper": None, "now": 1.0, "unit": "relative", "error": None}
    assert line["objects"][0]["depth"] == depth
    assert line["timings_ms"] == {"flow": None}


def test_every_line_is_on_disk_before_the_next(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "a.jsonl", INFO)
    for index in range(3):
        sink.write(result(index=index))
        lines = (tmp_path / "a.partial.jsonl").read_text().splitlines(keepends=True)
        assert [strict(line)["index"] for line in lines[1:]] == list(range(index + 1))
        assert lines[-1].endswith("\n")
    assert not (tmp_path / "a.jsonl").exists()
    sink.close()
    assert (tmp_path / "a.jsonl").exists()


def test_a_pipe_gets_its_lines_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.extend(path.read_text().splitlines()))
    reader.start()
    sink = JsonlSink(path, INFO)
    sink.write(result())
    sink.close()
    reader.join(5)
    assert [strict(line)["type"] for line in read] == ["header", "frame"]
    assert path.is_fifo()


def test_lines_go_to_the_standard_output_which_stays_open(capfd: pytest.CaptureFixture[str]) -> None:
    sink = JsonlSink(STDOUT, INFO)
    assert sink.name == "standard output"
    sink.write(result())
    sink.close()
    print("more", flush=True)
    _, line, more = capfd.readouterr().out.splitlines()
    assert strict(line)["index"] == 0
    assert more == "more"


def test_paths_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="is a folder"):
        JsonlSink(tmp_path, INFO)
    with pytest.raises(SinkError, match="a file has that name"):
        JsonlSink(tmp_path / "file" / "a.jsonl", INFO)


def test_a_full_disk_leaves_the_final_name_alone(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "a.jsonl", INFO)

    def write_on() -> None:
        for index in range(10_000):
            sink.write(result(index=index))

    with full_beyond(100_000):
        with pytest.raises(SinkError, match=r"\(File too large\).* is in a\.partial\.jsonl"):
            write_on()
        with pytest.raises(SinkError, match=r"\(File too large\)"):
            sink.write(result())
        sink.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.jsonl"]
    whole, _, _ = (tmp_path / "a.partial.jsonl").read_text().rpartition("\n")
    assert [strict(line)["index"] for line in whole.splitlines()[1:]] == list(range(whole.count("\n")))


@pytest.mark.parametrize(
    ("masks", "has_box", "has_mask"), [("rle", True, True), ("box", True, False), ("none", False, False)]
)
def test_lines_hold_no_more_of_a_mask_than_was_asked_for(masks: MasksInJsonl, has_box: bool, has_mask: bool) -> None:
    (entry,) = to_dict(result(track(np.ones((2, 5), bool))), masks)["objects"]
    assert (entry["box_xyxy"] is not None, entry["centroid"] is not None) == (has_box, has_box)
    assert (entry["mask"] is not None) == has_mask
