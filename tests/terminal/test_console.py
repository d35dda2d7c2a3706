"""The terminal: a panel that fits 80 columns, a progress bar, plain lines elsewhere; any figure may be missing."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from streamer.data.frame import Frame
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.terminal.console import PLAIN_EVERY_S, Terminal
from streamer.terminal.panel import LOG_LINES, REFRESH_EVERY_S, LiveConsole
from streamer.terminal.progress import AnnotateConsole
from streamer.terminal.report import live_rows, plain_line, summary_rows
from streamer.terminal.telemetry import Meter

SUMMARY = {
    "device": "CPU, 2 cores",
    "frames": {"read": 1210, "shown": 1200, "written": {"video": 1190}, "dropped": {"display behind": 10, "none": 0}},
    "duration_s": 40.0,
    "frame_rate_hz": 29.93,
    "recent_frame_rate_hz": 29.9,
    "capture_rate_hz": 30.0,
    "latency_ms": {"count": 1200, "p50": 21.2, "p95": 33.4, "p99": 1041.0},
    "timings_ms": {"flow": {"p50": 5.1}, "draw": {"p50": 13.3}},
    "model_timings_ms": {"encode": {"count": 22, "p50": 1834.0}, "decode": {"count": 60, "p50": 31.0}},
    "stages": {
        "masks": {
            "runs": 22,
            "reasons": {"interval": 21, "prompt": 1},
            "last": [{"index": 1188, "reason": "interval"}],
        },
        "depth": {"runs": 30, "reasons": {"interval": 30}, "last": [{"index": 1190, "reason": "interval"}]},
    },
    "peak_memory_mib": 1804.2,
    "objects": {"tracked": 2, "lost": 1},
    "queues": {"keyframe": "busy", "depth": "waiting"},
    "ages": {"masks": 12, "depth": 1},
}


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def make_console(terminal, width=80):
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, height=40, highlight=False, _environ={})


def text_of(console):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def test_the_panel_fits_80_columns_and_says_everything():
    console = make_console(True)
    live = LiveConsole("camera 0", console, make_console(True), Clock())
    live.event("lost", "object 3 [sic]")
    with console.capture() as captured:
        console.print(live.panel({**SUMMARY, "recording": True}))
    text = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "camera 0",
        "recording",
        "shown 29.9 fps  captured 30.0 fps",
        "p50 21 ms  p95 33 ms  p99 1.0 s",
        "draw 13  flow 5",
        "tracked 2, lost 1",
        "encode 1.8 s 0.6/s",
        "10 (0.8%): display behind 10",
        "keyframe busy  depth waiting",
        "masks 12 frames  depth 1 frame",
        "masks interval (frame 1188)  depth interval (frame 1190)",
        "object 3 [sic]",
        "CPU, 2 cores",
    ):
        assert words in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_height_of_the_panel_never_changes(width):
    console = make_console(True, width)
    live = LiveConsole("camera 0", console, make_console(True), Clock())
    heights = set()
    for number in range(LOG_LINES + 2):
        with console.capture() as captured:
            console.print(live.panel(SUMMARY if number % 2 else {}))
        heights.add(len(captured.get().splitlines()))
        live.event("run", "masks: prompt " * 20)
    assert len(heights) == 1


def test_the_panel_is_drawn_at_most_four_times_a_second():
    clock, console = Clock(), make_console(True)
    with LiveConsole("camera 0", console, make_console(True), clock) as live:
        live.update(SUMMARY)
        first = len(console.file.getvalue())
        live.update(SUMMARY)
        assert len(console.file.getvalue()) == first
        clock.now_s += REFRESH_EVERY_S
        live.update(SUMMARY)
        assert len(console.file.getvalue()) > first


def test_a_live_run_without_a_terminal_gives_a_line_every_few_seconds():
    clock, console = Clock(), make_console(False)
    with LiveConsole("camera 0", console, make_console(False), clock) as live:
        for _ in range(31):
            live.update(SUMMARY)
            clock.now_s += PLAIN_EVERY_S / 10
        live.event("lost", "object 3")
        live.event("run", "masks: prompt")
    lines = console.file.getvalue().splitlines()
    assert lines == [plain_line(SUMMARY)] * 4 + ["lost object 3"]
    assert "\x1b" not in console.file.getvalue()


def test_progress_on_a_terminal_shows_frames_rate_and_every_source():
    console = make_console(True)
    with AnnotateConsole(console, make_console(True)) as annotate:
        for name, count in (("dog", 50), ("no-count", None), ("longer-than-promised", 10)):
            annotate.begin(name, count)
            for done in range(1, 31):
                annotate.update(done)
            annotate.end(f"recordings/{name}.mp4")
        annotate.warn("careful [with brackets]")
    text = text_of(console)
    for words in ("30/30 frames", "fps", "dog", "no-count", "recordings/dog.mp4", "careful [with brackets]"):
        assert words in text


def test_a_second_use_does_not_print_the_bars_of_the_first_again():
    console = make_console(True)
    annotate = AnnotateConsole(console, make_console(True))
    for name in ("first", "second"):
        console.file.seek(0)
        console.file.truncate()
        with annotate:
            annotate.begin(name, 1)
            annotate.update(1)
            annotate.end()
    assert "second" in text_of(console)
    assert "first" not in text_of(console)


def test_progress_without_a_terminal_is_plain_lines():
    clock, console = Clock(), make_console(False)
    with AnnotateConsole(console, make_console(False), clock) as annotate:
        annotate.begin("dog", 300)
        for done in range(1, 301):
            clock.now_s += 0.04
            annotate.update(done)
        annotate.end("recordings/dog.mp4")
    assert console.file.getvalue().splitlines() == [
        "dog: 125 of 300 frames, 25.0 fps, 7 s left",
        "dog: 250 of 300 frames, 25.0 fps, 2 s left",
        "dog: 300 frames in 12.0 s",
        "recordings/dog.mp4",
    ]


def test_the_time_left_does_not_count_what_came_before_the_first_frame():
    clock, console = Clock(), make_console(False)
    with AnnotateConsole(console, make_console(False), clock) as annotate:
        annotate.begin("dog", 300)
        clock.now_s += 40  # the models are loaded and warmed up
        for done in range(1, 200):
            clock.now_s += 0.1
            annotate.update(done)
    assert [line.partition("fps, ")[2] for line in console.file.getvalue().splitlines()] == [
        "",
        "25 s left",
        "20 s left",
        "15 s left",
    ]


def test_the_time_left_stands_beside_the_bar():
    clock, console = Clock(), make_console(True, 120)
    with AnnotateConsole(console, make_console(True), clock) as annotate:
        annotate.begin("dog", 1000)
        for done in range(1, 101):
            clock.now_s += 0.1
            annotate.update(done)
        annotate._progress.refresh()
    assert "1:30 left" in text_of(console)


def test_errors_go_to_the_standard_error_and_lines_are_not_broken():
    console, errors = make_console(False), make_console(False)
    terminal = Terminal(console, errors)
    long_line = "word " * 40 + "[bold]"
    terminal.say(long_line)
    terminal.error("It failed: do this.")
    assert console.file.getvalue() == long_line + "\n"
    assert errors.file.getvalue() == "error: It failed: do this.\n"


def test_an_error_beside_a_moving_display_on_the_same_screen_is_printed_above_it():
    console, errors = make_console(True), make_console(True)
    with LiveConsole("camera 0", console, errors) as live:
        live.error("It failed.")
    live.error("And now?")
    assert "It failed." in text_of(console)
    assert text_of(errors) == "error: And now?\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_the_closing_table(terminal):
    console = make_console(terminal)
    Terminal(console, make_console(terminal)).summary(SUMMARY)
    text = text_of(console)
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "1210 read, 1200 shown",
        "video 1190",
        "29.9 fps",
        "22 runs (interval 21, prompt 1)",
        "30 runs",
        "1804 MiB at most",
    ):
        assert words in text
    assert "none" not in text


def test_what_the_meter_gives_is_understood():
    meter = Meter("CPU, 2 cores")
    assert dict(summary_rows(meter.summary()))["device"] == "CPU, 2 cores"
    for index in range(31):
        frame = Frame(index, index / 30, np.zeros((2, 2, 3), np.uint8), index / 30)
        stages = {"masks": StageStatus(Reason.INTERVAL if index == 20 else None)}
        shown = Result(frame, stages=stages, timings_ms={"flow": 5.0}, model_timings_ms={"encode": 40.0})
        meter.add(shown, index / 30 + 0.02)
    rows = dict(live_rows(meter.summary(frames_read=31, drops={"display behind": 3})))
    assert "30.0 fps" in rows["rate"]
    assert rows["latency"].startswith("p50 20 ms")
    assert rows["loop ms"] == "flow 5"
    assert rows["models"].startswith("encode 40 ms")
    assert rows["dropped"].startswith("3 (9.7%)")
    assert rows["last run"] == "masks interval (frame 20)"


@given(st.sets(st.sampled_from(sorted(SUMMARY))), st.booleans())
def test_missing_values_are_left_out(missing, terminal):
    summary = json.loads(json.dumps({key: value for key, value in SUMMARY.items() if key not in missing}))
    console = make_console(terminal)
    with LiveConsole("camera 0", console, make_console(terminal), Clock()) as live:
        live.update(summary)
    live.summary(summary)
    assert [name for name, _ in live_rows(summary)] == [name for name, _ in live_rows({})]
    assert "None" not in console.file.getvalue()


def test_no_part_of_the_loop_is_cut_off_at_80_columns():
    parts = {
        name: {"p50": 13.3, "p95": 40.1, "p99": 90.0}
        for name in ["wait", "flow", "track", "carry", "draw", "show", "write"]
    }
    console = make_console(True)
    live = LiveConsole("camera 0", console, make_console(True), Clock())
    with console.capture() as captured:
        console.print(live.panel({**SUMMARY, "timings_ms": parts}))
    (line,) = [line for line in captured.get().splitlines() if "loop ms" in line]
    assert all(f"{name} 13" in line for name in parts)
