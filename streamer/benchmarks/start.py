"""``streamer bench start``: how long it takes from the command to the first thing to see, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import cv2

from streamer.benchmarks.clip import rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.errors import StreamerError
from streamer.models.weights.cache import cache_folder
from streamer.synthetic import SceneSource
from streamer.terminal.console import Terminal

_SIZE = (1280, 720)
_COLUMNS = ("", "bytecode", "seconds", "processor [s]", "most memory [MiB]", "of it the program's own")
_LOOK_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class StartBench:
    """What is started.

    Attributes:
        runs: How often each; the figures are medians.
        clip: Video of which the first frame is shown; None for the rendered scene.
        photo: Picture that is annotated; None for a rendered one.
        bytecode: Whether Python may keep what it compiled: with, without, or both one after the other.
        json: Where the figures go.
    """

    runs: int = 10
    clip: Path | None = None
    photo: Path | None = None
    bytecode: Sequence[bool] = (True, False)
    json: Path | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """One process from its beginning to its end.

    Attributes:
        seconds: On the clock.
        processor_s: Of all its threads, on all cores.
        peak_mib: Most memory that was resident at a time, files that it shares with others included; None where the
            system is not Linux.
        own_mib: Most of it that is the program's own, which nothing else can use.
    """

    seconds: float
    processor_s: float
    peak_mib: float | None
    own_mib: float | None


def bench_start(bench: StartBench) -> None:
    """Run the commands one after the other, print medians, and write the figures.

    Raises:
        StreamerError: This system does not tell what its processes took, or a command failed.
    """
    if not hasattr(os, "wait4"):
        raise StreamerError("What a start takes can only be measured on Linux and macOS.")
    terminal, rows = Terminal(), list[dict[str, object]]()
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(bench, Path(folder), terminal)
        for bytecode in bench.bytecode:
            environment = _environment(Path(folder), bytecode)
            for name, command in commands.items():
                started(command, environment)  # the disk is warm from now on, and what is compiled is kept
                terminal.say(f"{name}, {'with' if bytecode else 'without'} bytecode: {bench.runs} runs")
                runs = [started(command, environment) for _ in range(bench.runs)]
                rows.append({"name": name, "bytecode": bytecode, **_medians(runs)})
    here = machine()
    terminal.table(title_of(f"medians of {bench.runs} runs", here), _COLUMNS, [_cells(row) for row in rows])
    write_figures(bench.json, {"machine": here, "runs": bench.runs, "rows": rows})


def started(command: Sequence[str], environment: Mapping[str, str]) -> Start:
    """Run a command to its end.

    Raises:
        StreamerError: It failed.
    """
    begun_s, most = time.monotonic(), _Memory()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            most = most.or_more(process.pid)
            time.sleep(_LOOK_EVERY_S)
        seconds, (_, status, usage) = time.monotonic() - begun_s, ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise StreamerError(f"`{' '.join(command[1:])}` ended with {process.returncode}: {''.join(last)}")
    return Start(seconds, usage.ru_utime + usage.ru_stime, most.peak_mib, most.own_mib)


def _commands(bench: StartBench, folder: Path, terminal: Terminal) -> dict[str, list[str]]:
    clip = bench.clip or rendered_clip(cache_folder() / "bench", _SIZE, 30, 30, terminal.say).path
    photo = bench.photo or folder / "photo.png"
    if bench.photo is None:
        cv2.imwrite(str(photo), cv2.cvtColor(SceneSource(0, _SIZE).render(0), cv2.COLOR_RGB2BGR))
    python = [sys.executable, "-m"]
    return {
        "--help": [*python, "streamer", "--help"],
        "live, first frame shown": [*python, "streamer.benchmarks.first_frame", "live", str(clip)],
        "annotate, a photo": [*python, "streamer", "annotate", str(photo), "-o", str(folder / "out.png"), "--no-show"],
    }


def _environment(folder: Path, bytecode: bool) -> dict[str, str]:
    """Bytecode in a place of its own, whatever there is elsewhere; or none, as where nothing may be written."""
    kept = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / ("kept" if bytecode else "none"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept if bytecode else {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class _Memory:
    """What Linux tells of a process while it runs; what it tells afterwards begins with the size of its parent."""

    peak_mib: float | None = None
    own_mib: float | None = None

    def or_more(self, process: int) -> _Memory:
        """The most of this and of what it is now."""
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            return self
        mib = {
            name: int(value.split()[0]) / 2**10
            for name, _, value in (line.partition(":") for line in lines)
            if value.endswith(" kB")
        }
        peak, own = mib.get("VmHWM", 0.0), mib.get("RssAnon", 0.0)
        return _Memory(max(self.peak_mib or 0.0, peak) or None, max(self.own_mib or 0.0, own) or None)


def _medians(runs: Sequence[Start]) -> dict[str, float | None]:
    columns = {name: [asdict(run)[name] for run in runs] for name in asdict(runs[0])}
    return {name: None if None in values else round(median(values), 3) for name, values in columns.items()}


def _cells(row: Mapping[str, object]) -> list[str]:
    figures = [f"{row['seconds']:.2f}", f"{row['processor_s']:.2f}"]
    figures += ["" if row[name] is None else f"{row[name]:.0f}" for name in ("peak_mib", "own_mib")]
    return [str(row["name"]), "yes" if row["bytecode"] else "no", *figures]
