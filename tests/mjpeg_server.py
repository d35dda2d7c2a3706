"""A network camera on loopback: JPEG pictures over HTTP, which can fall silent, die and come back on its port."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tests.videos import numbered_image


class MjpegServer:
    """Sends numbered pictures without end to everyone who asks.

    Args:
        size: (width, height) [px].
        rate_hz: Pictures per second.
        login: ``user:password`` without which nothing is sent.
        port: Where; 0 takes one that is free.
    """

    def __init__(
        self, size: tuple[int, int] = (64, 48), rate_hz: float = 100, login: str | None = None, port: int = 0
    ) -> None:
        self.silent = threading.Event()
        self._wanted = login and f"Basic {b64encode(login.encode()).decode()}"
        self._pause_s = 1 / rate_hz
        self._images = [cv2.imencode(".jpg", numbered_image(n, size)[..., ::-1])[1].tobytes() for n in range(20)]
        self._port = port
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}/camera.mjpg"

    def start(self) -> None:
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()

    def stop(self) -> None:
        """Break every connection and free the port."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> MjpegServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server, stopping = self, self._stopping

        class Handler(BaseHTTPRequestHandler):
            log_message: Callable[..., None] = lambda *args: None

            def do_GET(self) -> None:
                if server._wanted and self.headers.get("Authorization") != server._wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
                self.end_headers()
                number = 0
                while not stopping.wait(server._pause_s):
                    if server.silent.is_set():
                        continue
                    image = server._images[number % 20]
                    number += 1
                    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
                    try:
                        self.wfile.write(head.encode() + image + b"\r\n")
                    except OSError:
                        return

        return Handler
