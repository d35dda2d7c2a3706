"""Frames of your own, polled: what a robot does whose camera has a driver of its own.

    uv run python examples/08_pushed.py

A thread pushes images as a callback of ROS would, with the stamp of each; the program asks for the newest result at its
own pace, and refuses one that is too old.
"""

import threading
import time

import streamer
from streamer.synthetic import SceneSource

SIZE, RATE_HZ, PATIENCE_S = (640, 360), 15, 120.0


def drive(robot: streamer.Live, ended: threading.Event) -> None:
    """Push the rendered scene at its rate until the program ends."""
    scene = SceneSource(size=SIZE, frame_count=None)
    while not ended.wait(1 / RATE_HZ) and (frame := scene.read()) is not None:
        robot.push(frame.image_rgb, stamp_ns=time.time_ns())


def main() -> None:
    ended, end_s = threading.Event(), time.monotonic() + PATIENCE_S
    with streamer.live(streamer.Pushed(SIZE), discover=True) as robot:
        threading.Thread(target=drive, args=(robot, ended), daemon=True).start()
        while time.monotonic() < end_s:
            time.sleep(0.1)
            try:
                result = robot.latest(max_age_s=1.0)
            except streamer.StaleFrameError:
                continue
            tracked = [track for track in result.tracks if track.state is streamer.State.TRACKED]
            if tracked:
                age_ms = (time.time_ns() - (result.stamp_ns or 0)) / 1e6
                print(
                    f"{len(tracked)} objects on a frame taken {age_ms:.0f} ms ago, the first at {tracked[0].centroid}"
                )
                break
        ended.set()


if __name__ == "__main__":
    main()
