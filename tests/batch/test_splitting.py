"""A video in parts: the same objects and the same depth across the seams, the same frames in the whole."""

from __future__ import annotations

import json
from itertools import count

import numpy as np
import pytest

from streamer.batch.driver import Driver, Limits
from streamer.batch.job import AnnotateJob
from streamer.batch.listing import Entry
from streamer.batch.order import Order, new_token
from streamer.batch.parts import OVERLAP, parts_of
from streamer.batch.record import Record, State
from streamer.batch.seams import Seam
from streamer.batch.splitting import Splitting
from streamer.batch.worker import Worker
from streamer.config import load
from streamer.data.depth_unit import DepthUnit
from streamer.data.prompt import Prompt
from streamer.data.track import State as TrackState
from streamer.data.track import Track
from streamer.errors import ConfigError
from streamer.sinks.targets import Targets
from streamer.sources.file import VideoSource
from streamer.terminal.notes import Notes
from streamer.terminal.stopping import Stop
from tests.batch.test_driver import Seen
from tests.videos import make_video, number_of

CONFIG = load("tiny", ["schedule.depth_interval=1000", "video.preset=ultrafast"]).model_copy(update={"segmenter": None})


def kept(index: int, depth: np.ndarray | None = None, **masks: tuple[int, int]) -> dict:
    """What a part says of a frame of 8x8 pixels: objects by letter and number, each some of its columns."""
    tracks = []
    for name, (left, right) in masks.items():
        mask = np.zeros((8, 8), bool)
        mask[:, left:right] = True
        tracks.append(Track(int(name[1:]), mask, None, 0.9, TrackState.TRACKED))
    return {
        "index": index,
        "tracks": tuple(tracks),
        "depth_map": depth,
        "depth_range": None if depth is None else (1.0, 2.0),
        "depth_unit": DepthUnit.RELATIVE,
    }


def test_objects_that_overlap_keep_their_numbers_and_others_get_new_ones():
    before = [kept(index, o3=(0, 4), o7=(4, 8)) for index in range(4)]
    after = [kept(index, o1=(4, 7), o2=(0, 4), o3=(3, 5)) for index in range(4)]
    seam = Seam(list(zip(before, after, strict=True)), count(8))
    assert [track.id for track in seam.across(kept(9, o1=(4, 8), o2=(0, 4), o3=(1, 2)))["tracks"]] == [3, 7, 8]
    assert [track.id for track in seam.across(kept(10, o3=(0, 1), o4=(1, 2)))["tracks"]] == [8, 9]


def test_relative_depth_goes_on_as_it_was():
    old = np.random.default_rng(0).random((8, 8)).astype(np.float32)
    new = (old - 0.25) / 2
    seam = Seam([(kept(0, old), kept(0, new))], count(1))
    whole = seam.across(kept(1, new))
    assert whole["depth_map"] == pytest.approx(old, abs=1e-5)
    assert whole["depth_range"] == pytest.approx((2.25, 4.25), abs=1e-4)
    metric = kept(1, new) | {"depth_unit": DepthUnit.METERS}
    assert seam.across(metric)["depth_map"] is new


def test_parts_cover_every_frame_once_and_overlap(tmp_path):
    path = make_video(tmp_path / "clip.mp4", 200)
    parts = parts_of(str(path), 3)
    assert [(part.begin, part.end) for part in parts] == [(0, 66), (66, 133), (133, None)]
    assert [part.begin - part.first for part in parts] == [0, OVERLAP, OVERLAP]
    assert len(parts_of(str(path), 100)) == 200 // (2 * OVERLAP)
    with VideoSource(path, part=parts[1].frames) as source:
        frames = list(iter(source.read, None))
    assert [frame.index for frame in frames] == list(range(66 - OVERLAP, 133))
    assert frames[0].time_s == pytest.approx((66 - OVERLAP) / 25)
    assert number_of(frames[5].image_rgb) == (66 - OVERLAP + 5) % 25
    assert source.damage is None


class OneAfterTheOther:
    """An executor that does everything at once in this process."""

    def __init__(self):
        self.worker, self.answers = Worker(1), []

    def free(self):
        return [0]

    def start(self, slot, order):
        from streamer.batch.executor import Ended

        self.answers.append(Ended(slot, self.worker.annotate(order, lambda frames: None)))

    def events(self, timeout_s):
        answers, self.answers = self.answers, []
        return answers

    def close(self):
        self.worker.close()


def test_the_whole_has_every_frame_at_its_time_and_its_sound_and_nothing_is_left_of_the_parts(tmp_path):
    source, out = make_video(tmp_path / "clip.mp4", 100, audio=True), tmp_path / "out"
    entry = Entry(str(source), "clip")

    def order_of(entry, record, folder, prompts=()):
        job = AnnotateJob([entry.source], prompts, Targets(out, jsonl=out / "lines.jsonl"))
        return Order(CONFIG, job, record, folder, new_token())

    out.mkdir()
    split = Splitting([entry], order_of, out, 2)
    assert [each.name for each in split.entries] == ["clip.part-1-of-2", "clip.part-2-of-2"]
    entries = {each.name: each for each in split.entries}
    driver = Driver(
        OneAfterTheOther(),
        [Record(each.name, each.source) for each in split.entries],
        lambda record: split.order(entries[record.name], record, out),
        *(out, {}, Limits(), Seen(), Stop()),
    )
    driver.run()
    assert [record.frames for record in driver.records.values()] == [50, 50 + OVERLAP]
    records = split.join(dict(driver.records), Notes())
    assert list(records) == ["clip"]
    assert (records["clip"].state, records["clip"].frames) == (State.FINISHED, 100)
    assert sorted(path.name for path in out.iterdir()) == ["clip-annotated.mp4", "clip.batch.json", "lines-clip.jsonl"]
    with VideoSource(source) as first, VideoSource(out / "clip-annotated.mp4") as second:
        times = [[frame.time_s for frame in iter(each.read, None)] for each in (first, second)]
    assert times[0] == times[1]
    lines = [json.loads(line) for line in (out / "lines-clip.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines if line["type"] == "frame"] == list(range(100))

    clicked = lambda entry, record, folder: order_of(entry, record, folder, [Prompt(point_coords=[(3, 3)])])  # noqa: E731
    with pytest.raises(ConfigError, match="looks for objects anew in every part"):
        Splitting([entry], clicked, out, 2)
