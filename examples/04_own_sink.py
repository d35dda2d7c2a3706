"""A sink of one's own: whatever has `name`, `write` and `close` takes results. This one writes a table of speeds.

    uv run python examples/04_own_sink.py                    # the rendered scene, to recordings/speeds.csv
    uv run python examples/04_own_sink.py clip.mp4 out.csv   # a clip of yours

`Result` and `Track` say what there is to be written.
"""

import csv
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import streamer

Point = tuple[float, float]


class SpeedSink:
    """Writes one line per object and frame: where the center of its box is, and how fast it moves [px/s]."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.name = path.name
        self._file = path.open("w", newline="", encoding="utf-8")
        self._table = csv.writer(self._file)
        self._table.writerow(["time_s", "object", "x_px", "y_px", "speed_px_per_s"])
        self._last: dict[int, tuple[float, Point]] = {}

    def write(self, result: streamer.Result) -> None:
        for track in result.tracks:
            if track.box_xyxy is None:
                self._last.pop(track.id, None)
                continue
            x0, y0, x1, y1 = track.box_xyxy
            center = ((x0 + x1) / 2, (y0 + y1) / 2)
            speed = self._speed(track.id, result.time_s, center)
            self._table.writerow([f"{result.time_s:.3f}", track.id, *center, f"{speed:.0f}"])

    def close(self) -> None:
        self._file.close()

    def _speed(self, object_id: int, time_s: float, center: Point) -> float:
        """From the center that the object had on its frame before; 0 where it had none."""
        before_s, before = self._last.get(object_id, (time_s, center))
        self._last[object_id] = (time_s, center)
        distance = ((center[0] - before[0]) ** 2 + (center[1] - before[1]) ** 2) ** 0.5
        return distance / (time_s - before_s) if time_s > before_s else 0.0


def main(source: str, path: Path) -> None:
    options: dict[str, Any] = {"seed": 0, "frame_count": 30} if source == "scene" else {}
    with streamer.load("tiny") as engine, closing(SpeedSink(path)) as sink:
        for result in engine.run(source, **options):
            sink.write(result)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "scene",
        Path(sys.argv[2] if len(sys.argv) > 2 else "recordings/speeds.csv"),
    )
