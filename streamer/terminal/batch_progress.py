"""Progress through many videos at once: a bar for all of them and one for each worker, or lines elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from streamer.terminal.console import Terminal

_LONGEST_NAME = 32
_WARM_UP = 100
"""Frames before which nothing can be said about the time left: the models were being loaded."""


@dataclass
class _Bar:
    task: TaskID | None
    name: str
    frames: int
    length: int | None


class BatchConsole(Terminal):
    """A context manager.

    Args:
        lengths: Frames of each video that is to be done, by its name, as far as known.
        count: How many videos there are to be done.
        states: How many are in which state already, by the word for it.
    """

    def __init__(
        self, lengths: dict[str, int], count: int, states: Counter[str], console: Console | None = None
    ) -> None:
        super().__init__(console)
        self._lengths, self._count, self._states = lengths, count, states
        self._done = 0
        self._frames_ended = 0
        self._left = sum(lengths.values())
        self._bars: dict[int, _Bar] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=self.console,
            expand=True,
            disable=not self.lively,
        )

    def __enter__(self) -> Self:
        self._began_at_s = self._plain_at_s = self._clock()
        self._all = self._progress.add_task("all", total=max(self._left, 1), said="")
        self._progress.start()
        self._moving = self.lively
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._moving = False

    def begin(self, slot: int, name: str, length: int | None) -> None:
        """A worker begins with a video."""
        shown = name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
        task = self._progress.add_task(f"{slot + 1}  {escape(shown)}", total=length, said="") if self.lively else None
        self._bars[slot] = _Bar(task, name, 0, length)
        self._show()

    def update(self, slot: int, frames: int) -> None:
        """A worker has done so many frames of its video."""
        bar = self._bars[slot]
        bar.frames = frames
        if bar.length is not None and frames > bar.length:
            bar.length = None
        if bar.task is not None:
            self._progress.update(bar.task, completed=frames, total=bar.length, said=f"{frames} frames")
        self._show()

    def end(self, slot: int, state: str, frames: int, text: str | None, final: bool) -> None:
        """A worker is through with its video.

        Args:
            slot: Which worker.
            state: How it stands now.
            frames: Frames written.
            text: What there is to say about it; None where all is well.
            final: Whether it will not be tried again in this run.
        """
        bar = self._bars.pop(slot)
        if bar.task is not None:
            self._progress.remove_task(bar.task)
        self._frames_ended += frames
        if final:
            self._done += 1
            self._states[state] += 1
            self._left -= self._lengths.get(bar.name, 0)
        if text is not None:
            self.warn(f"{bar.name}: {text}")
        elif not self.lively:
            self.say(f"{bar.name}: {state}, {frames} frames")
        self._show()

    def _show(self) -> None:
        if self.lively:
            total = sum(self._lengths.values())
            done = total - self._frames_left()
            self._progress.update(self._all, completed=done, total=max(total, 1), said=self._words())
        elif self._plain_due():
            self.say(self._words())

    def _words(self) -> str:
        frames = self._frames_ended + sum(bar.frames for bar in self._bars.values())
        passed_s = self._clock() - self._began_at_s
        rate_hz = frames / passed_s if passed_s > 0 else 0.0
        words = [f"{self._done} of {self._count} videos", f"{frames} frames", f"{rate_hz:.1f} fps"]
        words += [f"{count} {state}" for state, count in sorted(self._states.items()) if state != "finished" and count]
        left = self._frames_left()
        if left > 0 and frames >= _WARM_UP:
            words.append(f"{_span(left / rate_hz)} left")
        return ", ".join(words)

    def _frames_left(self) -> int:
        """Frames of videos of known length that are still to be done."""
        return self._left - sum(min(bar.frames, bar.length or 0) for bar in self._bars.values())


def _span(duration_s: float) -> str:
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
