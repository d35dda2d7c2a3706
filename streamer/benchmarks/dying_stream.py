"""A network camera on this machine that dies again and again: ``python -m`` this, for `streamer bench soak`."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streamer.sinks.encoding import jpeg_of
from streamer.synthetic import SceneSource

_FRAMES = 60
_DEAD_S = 1.0


def pictures(size: tuple[int, int]) -> list[bytes]:
    """JPEGs of two seconds of the rendered scene, and back to its beginning."""
    scene = SceneSource(0, size, frame_count=_FRAMES)
    there = [jpeg_of(frame.image_rgb, 80) for frame in iter(scene.read, None) if frame is not None]
    return there + there[::-1]


def serve(jpegs: Sequence[bytes], rate_hz: float, life_s: float, tell: Callable[[int], object], lives: int) -> None:
    """Send them over and over as MJPEG over HTTP, in so many lives.

    After ``life_s`` every connection breaks and nobody answers for a second.

    Args:
        tell: Told the port once it answers for the first time.
    """
    port = 0
    for life in range(lives):
        ending = threading.Event()
        with ThreadingHTTPServer(("127.0.0.1", port), _handler(jpegs, 1 / rate_hz, ending)) as server:
            port = server.server_port
            if life == 0:
                tell(port)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            time.sleep(life_s)
            ending.set()
            server.shutdown()
        time.sleep(_DEAD_S)


def _handler(jpegs: Sequence[bytes], pause_s: float, ending: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            number = 0
            while not ending.wait(pause_s):
                jpeg = jpegs[number % len(jpegs)]
                number += 1
                head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                except OSError:
                    return

    return Handler


if __name__ == "__main__":
    width, height, rate_hz, life_s = map(float, sys.argv[1:])
    serve(pictures((int(width), int(height))), rate_hz, life_s, lambda port: print(port, flush=True), sys.maxsize)
