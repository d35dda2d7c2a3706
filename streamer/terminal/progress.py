"""Progress through recordings: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from streamer.terminal.console import Clock, Terminal

FRAMES = "frames"
"""What is counted where nothing else is said."""
RECENT_UPDATES = 200
"""Over which the rate is taken: several keyframes, which cost more than the frames between them."""
LEAST_S = 0.5
"""Of progress, before which a time left would be a guess [s]."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.completed / task.finished_time if task.finished_time else task.speed
        counts_frames = task.fields.get("unit", FRAMES) == FRAMES
        return Text(f"{speed:.1f} fps" if speed and counts_frames else "", style="cyan", justify="right")


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        left_s = task.fields.get("left_s")
        return Text("" if left_s is None or task.finished else f"{left_s // 60:.0f}:{left_s % 60:02.0f} left")


class _Frames(ProgressColumn):
    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f"/{task.total:.0f}"
        return Text(f"{task.completed:.0f}{total} {task.fields.get('unit', FRAMES)}")


class AnnotateConsole(Terminal):
    """Progress through one source after the other. A context manager that may be entered again."""

    def __init__(
        self, console: Console | None = None, error_console: Console | None = None, clock: Clock = time.monotonic
    ) -> None:
        super().__init__(console, error_console, clock)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _Frames(),
            _Rate(),
            _TimeLeft(),
            console=self.console,
            expand=True,
            redirect_stderr=sys.stderr.isatty(),
            disable=not self.lively,
        )
        self._task: TaskID | None = None
        self._name, self._unit, self._done, self._started_s = "", FRAMES, 0, 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=RECENT_UPDATES)
        self._total: int | None = None

    @contextmanager
    def playing(self, name: str, frame_count: int | None = None, unit: str = FRAMES) -> Iterator[None]:
        """Show the progress of one source until the block ends; ``frame_count`` is a hint, None where nobody knows."""
        with self:
            self.begin(name, frame_count, unit)
            try:
                yield
            finally:
                self.end()

    def __enter__(self) -> Self:
        for task in self._progress.task_ids:  # those of an earlier use stay where they were printed
            self._progress.remove_task(task)
        self._progress.start()
        self._moving = self.lively
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._moving = False

    def begin(self, name: str, frame_count: int | None = None, unit: str = FRAMES) -> None:
        """The next source; ``frame_count`` is a hint, None where nobody knows; ``unit`` is what is counted."""
        self._name, self._total, self._done, self._unit = name, frame_count, 0, unit
        self._started_s = self._plain_at_s = self._clock()
        self._recent.clear()
        shown = name if len(name) <= 24 else f"{name[:11]}...{name[-10:]}"
        self._task = self._progress.add_task(escape(shown), total=frame_count, unit=unit)

    def update(self, done: int) -> None:
        """So many frames of this source are done."""
        self._done = done
        self._recent.append((self._clock(), done))
        if self._total is not None and done > self._total:
            self._total = None
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=self._total, left_s=self._left_s())
        if not self.lively and self._plain_due():
            self.say(self._plain_line())

    def end(self, output: str | None = None) -> None:
        """This source is finished; ``output`` is what was written."""
        if self._task is not None:
            self._progress.update(self._task, completed=self._done, total=max(self._done, 1))
            self._progress.stop_task(self._task)
        if not self.lively:
            self.say(f"{self._name}: {self._done} {self._unit} in {self._clock() - self._started_s:.1f} s")
        if output:
            self.say(output)

    def _rate_hz(self) -> float | None:
        """Of the last frames; None while too few have come to tell.

        The first frame is none of them: it waits for models to be loaded and to warm up.
        """
        if len(self._recent) < 2:
            return None
        (since_s, before), (now_s, done) = self._recent[0], self._recent[-1]
        return (done - before) / (now_s - since_s) if now_s - since_s >= LEAST_S else None

    def _left_s(self) -> float | None:
        rate_hz = self._rate_hz()
        return None if not rate_hz or self._total is None else (self._total - self._done) / rate_hz

    def _plain_line(self) -> str:
        line = f"{self._name}: {self._done}{f' of {self._total}' if self._total else ''} {self._unit}"
        rate_hz, left_s = self._rate_hz(), self._left_s()
        if rate_hz is not None and self._unit == FRAMES:
            line += f", {rate_hz:.1f} fps"
        return line if left_s is None else f"{line}, {left_s:.0f} s left"
