"""Frames of your own, polled: what a robot does whose camera has a driver of its own.

    uv run python examples/08_pushed.py

A thread pushes images as a callback of ROS would, with the stamp of each; the program asks for the newest result at its
own pace, and takes none that is too old.
"""

import threading
import time

import streamer
from streamer.synthetic import SceneSource

SIZE, RATE_HZ, PATIENCE_S = (640, 360), 10, 250.0


def drive(robot: streamer.Live, ended: threading.Event) -> None:
    """Push the rendered scene at its rate until the program ends."""
    scene = SceneSource(size=SIZE, frame_count=None)
    while not ended.wait(1 / RATE_HZ):
        frame = scene.read()
        assert frame is not None
        robot.push(frame.image_rgb, stamp_ns=time.time_ns())


def first_tracked(robot: streamer.Live) -> streamer.Result | None:
    """The first result with an object that is tracked; None where there is none in time."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        time.sleep(0.1)
        try:
            result = robot.latest(max_age_s=2.0)
        except streamer.StaleFrameError:
            continue
        if any(track.state is streamer.State.TRACKED for track in result.tracks):
            return result
    return None


def main() -> None:
    ended = threading.Event()
    with streamer.live(streamer.Pushed(SIZE), "robot", discover=True) as robot:
        driver = threading.Thread(target=drive, args=(robot, ended))
        driver.start()
        result = first_tracked(robot)
        ended.set()
        driver.join()
    if result is not None and result.stamp_ns is not None:
        print(f"stamp {result.stamp_ns}: {len(result.tracks)} objects, the first at {result.tracks[0].centroid}")


if __name__ == "__main__":
    main()
