"""Watch a live source, and stop as soon as something is known: a break leaves nothing running.

    uv run python examples/02_live.py                        # the rendered scene, played at 30 Hz as a camera would
    uv run python examples/02_live.py 0                      # webcam 0; or an address: rtsp://camera.local/stream

Live means that the newest frame wins. Where this program is slower than the source, frames are left out, and
`Result.index` has gaps; masks and depth come late and are carried to the frame that is there by then.
"""

import sys
from typing import Any

import streamer

PATIENCE_S = 30.0


def main(source: str) -> None:
    options: dict[str, Any] = {"seed": 0, "frame_count": None} if source == "scene" else {}
    with streamer.load("tiny") as engine:
        for result in engine.run(source, live=True, **options):
            tracked = [track for track in result.tracks if track.state is streamer.State.TRACKED]
            if tracked:
                print(f"frame {result.index}, {result.time_s:.2f} s: {len(tracked)} objects are tracked")
                break
            if result.time_s > PATIENCE_S:
                print(f"nothing to follow in {PATIENCE_S:.0f} s")
                break


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "scene")
