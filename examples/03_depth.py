"""How near every object is, and whether it comes nearer.

    uv run python examples/03_depth.py                       # the rendered scene
    uv run python examples/03_depth.py clip.mp4              # a clip of yours; its objects are found by themselves

The depth models that come with streamer know inverse depth: larger is nearer, and 2 is not twice as near as 1. It is
steady within one run, so an object can be compared with itself and with its neighbors, not with another clip.
"""

import sys
from collections import defaultdict
from typing import Any

import numpy as np

import streamer


def main(source: str) -> None:
    options: dict[str, Any] = {"seed": 0, "frame_count": 30} if source == "scene" else {}
    medians: defaultdict[int, list[float]] = defaultdict(list)
    with streamer.load("tiny") as engine:
        for result in engine.run(source, **options):
            for track in result.tracks:
                if track.depth is not None:  # there is none while the object is lost
                    medians[track.id].append(track.depth.median)
        if result.inverse_depth is not None:
            print(f"last frame: inverse depth {result.inverse_depth.min():.2f} to {result.inverse_depth.max():.2f}")
    print("object  frames   far  median  near  change per frame")
    for object_id, values in sorted(medians.items()):
        far, median, near = np.quantile(values, [0.05, 0.5, 0.95])
        change = np.polyfit(np.arange(len(values)), values, 1)[0] if len(values) > 1 else 0.0
        print(f"{object_id:6}  {len(values):6}  {far:4.2f}  {median:6.2f}  {near:4.2f}  {change:+.4f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "scene")
