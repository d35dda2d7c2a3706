"""Follow one object from one click, and print where it is on every frame.

    uv run python examples/01_click.py                       # the rendered scene, nothing to download
    uv run python examples/01_click.py clip.mp4 640 360      # a clip of yours, and a pixel of the object

The score says how sure the tracker is, from 0 to 1; an object that is lost keeps its number and has no box.
"""

import sys
from typing import Any

import streamer


def main(source: str, x: float, y: float) -> None:
    options: dict[str, Any] = {"seed": 0, "frame_count": 30} if source == "scene" else {}
    click = streamer.Prompt(point_coords=[(x, y)])
    with streamer.load("tiny") as engine:
        for result in engine.run(source, click, **options):
            track = result.tracks[0]
            print(f"{result.time_s:6.3f} s  {track.state:9}  score {track.score:.2f}  box {track.box_xyxy}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
    else:
        main("scene", 842, 349)
