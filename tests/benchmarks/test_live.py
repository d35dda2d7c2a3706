"""`streamer bench live`: a real, short live run, and the hand and eyes that play it, on a clock of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from streamer.benchmarks import live as module
from streamer.benchmarks.clip import CLICKED, BenchClip
from streamer.benchmarks.live import LiveBench, bench_live
from streamer.benchmarks.player import CLICK_EVERY_S, GIVE_UP_S, LOOK_S, Player
from streamer.data.frame import Frame
from streamer.data.result import Result, StageStatus
from streamer.data.track import State, Track
from streamer.errors import ConfigError
from streamer.ui.window import events
from tests import small_models  # noqa: F401  (one thread)

SIZE = (320, 240)


def labels() -> np.ndarray:
    image = np.zeros(SIZE[::-1], np.uint8)
    image[40:100, 40:100] = 1
    image[120:200, 200:280] = CLICKED
    return image


def result(index: int = 0, shown: dict[int, np.ndarray] | None = None) -> Result:
    image = np.zeros((*SIZE[::-1], 3), np.uint8)
    tracks = tuple(
        Track(object_id, mask, (0, 0, 1, 1), 0.9, State.TRACKED, np.empty((0, 2)), np.empty(0))
        for object_id, mask in (shown or {}).items()
    )
    return Result(Frame(index, index / 30, image, 0.0), tracks, stages={"masks": StageStatus(age=0 if shown else None)})


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def played():
    clock = Clock()
    clip = BenchClip(Path("clip.mp4"), SIZE, 30, {0: labels()})
    return clock, Player(clip, 60.0, clock=clock)


def after(clock: Clock, player: Player, seconds: float, seen: Result) -> list[events.Event]:
    clock.now_s += seconds
    player.show(np.zeros((*SIZE[::-1], 3), np.uint8), seen)
    return player.poll()


def test_it_clicks_waits_for_the_mask_and_takes_the_object_away_again(played):
    clock, player = played
    first, both = {1: labels() == 1}, {1: labels() == 1, 2: labels() == CLICKED}
    assert after(clock, player, 0, result()) == [], "nothing is followed yet"
    assert after(clock, player, CLICK_EVERY_S / 2, result(1, first)) == []
    new, click = after(clock, player, CLICK_EVERY_S / 2, result(2, first))
    assert isinstance(new, events.NewObject)
    assert labels()[round(click.y), round(click.x)] == CLICKED
    assert after(clock, player, 0.05, result(3, first)) == []
    assert after(clock, player, 0.03, result(4, both)) == []
    assert player.answers_ms == pytest.approx([80])
    select, delete = after(clock, player, LOOK_S, result(5, both))
    assert select == events.SelectObject(2)
    assert isinstance(delete, events.Delete)


def test_a_click_without_an_answer_is_taken_back_and_counted(played):
    clock, player = played
    first = {1: labels() == 1}
    after(clock, player, 0, result(0, first))
    after(clock, player, CLICK_EVERY_S, result(1, first))
    (undo,) = after(clock, player, GIVE_UP_S, result(2, first))
    assert isinstance(undo, events.Undo)
    assert player.unanswered == 1
    assert player.answers_ms == []


def test_it_quits_when_the_time_is_over(played):
    clock, player = played
    after(clock, player, 0, result())
    assert isinstance(after(clock, player, 60, result(1))[-1], events.Quit)


def test_masks_are_compared_with_the_truth_where_there_is_one(played):
    clock, player = played
    after(clock, player, 0, result(0, {1: labels() == 1}))
    after(clock, player, 0.1, result(1, {1: labels() == 1}))
    assert set(player.ious()) == {0}
    assert player.ious()[0][0] == 1.0


def test_a_short_live_run_is_measured_beside_the_obvious_loop(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    path = tmp_path / "figures.json"
    bench = LiveBench(seconds=3.0, rate_hz=15, size=SIZE, rows=("tiny", "baseline"), show=False, json=path)
    assert bench_live(bench) == 0
    figures = json.loads(path.read_text())
    ours, loop = figures["rows"]
    assert [row["name"] for row in figures["rows"]] == ["tiny", "baseline"]
    assert figures["clip"]["size"] == list(SIZE)
    for row in figures["rows"]:
        assert row["frames"]["shown"] > 0
        assert 0 <= row["dropped_share"] < 1
    assert 0 < ours["iou"]["file"] <= 1
    assert "iou" not in loop
    assert "capture to shown" in " ".join(capsys.readouterr().out.split())


def test_a_row_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="There is no row 'huge'"):
        bench_live(LiveBench(rows=("huge",)))
