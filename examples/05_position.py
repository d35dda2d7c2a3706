"""Follow a cup, and print where it is in meters, with the stamp of each frame: x to the right, y down, z ahead.

    uv run python examples/05_position.py                    # the rendered scene, where the "cup" is a ball
    uv run python examples/05_position.py 0 640 360          # webcam 0, and a pixel of the cup; measure TAPE yourself

The depth model is relative: what a tape measured to some pixels of the first frame makes it meters.
"""

import sys

import streamer

TAPE = streamer.KnownDepths([(642, 640), (1100, 600), (640, 400)], [4.29, 5.14, 10.90], along_ray=True)


def main(source: str, x: float, y: float, lines: float = float("inf")) -> None:
    with streamer.load("robot") as engine, engine.live(source, known_depths=TAPE) as camera:
        camera.click((x, y), label="cup")
        for result in camera:
            for track in result.tracks:
                if track.position_m is not None and track.depth is not None:
                    place = "x {:+.2f}  y {:+.2f}  z {:.2f} m".format(*track.position_m)
                    print(f"{result.stamp_ns}  {track.label}  {place}  within {track.depth.error or 0:.0%}")
                    lines -= 1
            if lines <= 0:
                break


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
    else:
        main("scene", 980, 421, lines=10)
