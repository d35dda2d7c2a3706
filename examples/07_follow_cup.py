"""Follow a cup, print where it is in meters, and log all of it to a file that Foxglove and rosbag2 open.

    uv run python examples/07_follow_cup.py                  # the rendered scene; a thing in it stands for the cup
    uv run python examples/07_follow_cup.py 0 70 640,360 320,500=0.8 900,300=2.1

The second line is for webcam 0, which sees 70 degrees from left to right, a cup at 640,360, and two things whose
distances were measured with a tape: they make the bundled model's depth meters. Positions are seen from the camera: x
to the right, y down, z ahead. The log, `cup.mcap`, needs a library: `uv pip install mcap-ros2-support`.
"""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import streamer
from streamer.sinks.mcap import McapSink

SCENE = ("scene", "62", "841,392", "640,680=3.92", "100,600=5.29", "1100,500=7.12")


def main(source: str, fov_deg: str, cup: str, *distances: str) -> None:
    prompt = streamer.Prompt([[float(number) for number in cup.split(",")]], label="cup")
    pairs = [distance.split("=") for distance in distances]
    places = [[float(number) for number in place.split(",")] for place, _ in pairs]
    known = streamer.KnownDepths(places, [float(meters) for _, meters in pairs], along_ray=True)
    options: dict[str, Any] = {"seed": 0, "frame_count": 30} if source == "scene" else {"live": True}
    with (
        streamer.load("robot", [f"camera.fov_deg={fov_deg}"]) as engine,
        closing(McapSink(Path("cup.mcap"))) as log,
    ):
        for result in engine.run(source, prompt, known_depths=known, **options):
            log.write(result)
            (track,) = result.tracks
            stamp_s = result.time_s if result.stamp_ns is None else result.stamp_ns / 1e9
            if track.position_m is not None:
                x, y, z = track.position_m
                print(f"{stamp_s:.3f} s  {track.state:9}  x {x:+.2f}  y {y:+.2f}  z {z:.2f} m", flush=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] or SCENE))
