"""Cameras and network streams, through OpenCV."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

# OpenCV takes these from nowhere else. The last is how long a webcam on Linux may be silent [s] (ten by default).
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame, StampOrigin
from streamer.data.running import running
from streamer.data.source import BaseSource, SourceInfo
from streamer.errors import SourceError
from streamer.sources.url import is_url, redact, short_name

_FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OWN_FFMPEG_OPTIONS = os.environ.get(_FFMPEG_OPTIONS)
_LONGEST_TRANSFER_S = 1.0
"""A driver's stamp older than this is of another clock."""
_BACKENDS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}


class CameraSource(BaseSource):
    """A webcam or a network stream, as fast as it comes; times are readings of the clock at arrival.

    A read that fails means that the camera was unplugged, the server closed the stream, or nothing came for
    ``read_timeout_s``: all three raise, and the source is spent. Only an address whose length is known (a video file
    on a web server) can come to an end; it ends early, told in `damage`, if the server stops short of it.

    Attributes:
        settings: What the camera really does: width, height, rate_hz, fourcc, backend.
        notice: One sentence where that is not what was asked for, else None.

    Args:
        camera: Index (0 is the first camera), device path or address (rtsp, http, ...).
        width: Asked of a camera [px]; the nearest that it can do is what comes.
        height: Likewise [px].
        rate_hz: Likewise [Hz].
        open_timeout_s: For an address: connect and first frame must have come by then [s].
        read_timeout_s: For an address: longest silence [s]. (Webcams on Linux: 2 s, by OpenCV's own timer.)

    Raises:
        SourceError: No such camera, no answer from the address, or no picture comes.
    """

    def __init__(
        self,
        camera: int | str,
        width: int | None = None,
        height: int | None = None,
        rate_hz: float | None = None,
        open_timeout_s: float = 5.0,
        read_timeout_s: float = 2.0,
    ) -> None:
        super().__init__()
        if isinstance(camera, str) and camera.isdecimal():
            camera = int(camera)
        self._is_stream = isinstance(camera, str) and is_url(camera)
        name = short_name(str(camera)) if self._is_stream else f"camera {str(camera).rpartition('/')[2]}"
        self._label = f"The stream {redact(str(camera))}" if self._is_stream else name.capitalize()
        self._read_timeout_s = read_timeout_s
        asked = {"width": width, "height": height, "rate_hz": rate_hz}
        if self._is_stream:
            capture, image_bgr = _connect(str(camera), open_timeout_s, read_timeout_s)
        else:
            capture, image_bgr = _open(camera, asked)
        if capture is None:
            raise SourceError(f"{self._label} cannot be {self._unreachable()}.")
        if image_bgr is None:
            capture.release()
            raise SourceError(f"{self._label} was opened but gives no picture: {self._advice()}.")
        self._capture = capture
        self.settings = _read_back(self._capture, image_bgr)
        self.notice = _notice(self._label, asked, self.settings)
        self._index = 0
        self._first_at_s: float | None = None
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if self._is_stream else 0
        rate = float(self.settings["rate_hz"])
        self._info = SourceInfo(
            name=name,
            size=(int(self.settings["width"]), int(self.settings["height"])),
            rate_hz=Fraction(rate).limit_denominator(1001) if 1 <= rate <= 1000 else None,
            frame_count=round(count) if count > 0 else None,
            live=True,
            settings=_in_words(self.settings),
            notice=self.notice,
        )

    def _unreachable(self) -> str:
        if self._is_stream:
            return "reached: check the address, the network and the password"
        return "opened: check its number, that it is plugged in, and that no other program uses it"

    def _advice(self) -> str:
        if self._is_stream:
            return "check the server and the network"
        return "plug it in again, or close other programs that use it"

    def _read(self) -> Frame | None:
        asked_at_s = time.monotonic()
        ok, image_bgr = self._capture.read()
        now_s = time.monotonic()
        if not ok:
            self._end(now_s - asked_at_s)
            return None
        captured_at_s, origin = self._captured_at(now_s)
        if self._first_at_s is None:
            self._first_at_s = captured_at_s
        index = self._index
        self._index += 1
        stamp_ns = time.time_ns() - round((time.monotonic() - captured_at_s) * 1e9)
        time_s, image_rgb = captured_at_s - self._first_at_s, _rgb(image_bgr, self._info.size)
        return Frame(index, time_s, image_rgb, captured_at_s, stamp_ns=stamp_ns, stamp_origin=origin)

    def _captured_at(self, now_s: float) -> tuple[float, StampOrigin]:
        """When the image that came just now was taken, on the monotonic clock [s], and who says so.

        Video4Linux stamps buffers by that clock, and OpenCV hands the stamp on as the position of the stream.
        """
        if not self._is_stream and sys.platform == "linux":
            driver_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if now_s - _LONGEST_TRANSFER_S < driver_s <= now_s:
                return driver_s, StampOrigin.DRIVER
        return now_s, StampOrigin.ARRIVAL

    def _end(self, waited_s: float) -> None:
        if self._closed.is_set():
            return
        if self._info.frame_count is None or waited_s >= 0.9 * self._read_timeout_s:
            raise SourceError(f"{self._label} stopped answering: {self._advice()}.")
        missing = self._info.frame_count - (self._index + 1)
        if missing > 0.02 * self._info.frame_count + 1:
            self._damage = f"{self._label} ended about {missing} frames early."

    def _release(self) -> None:
        self._capture.release()


def _open(camera: int | str, asked: Mapping[str, float | None]) -> tuple[Any, Any]:
    """A camera of this machine, set as asked, and its first picture; None for what there is not.

    In the calling thread, because macOS asks for the permission only on the main one.
    """
    _silence()
    capture = cv2.VideoCapture(camera, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
    if not capture.isOpened():
        return None, None
    # Raw pictures of 1280x720 do not fit through USB 2 at 30 Hz; cameras that know no JPEG ignore this.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    properties = {"width": cv2.CAP_PROP_FRAME_WIDTH, "height": cv2.CAP_PROP_FRAME_HEIGHT, "rate_hz": cv2.CAP_PROP_FPS}
    for key, number in properties.items():
        if asked[key] is not None:
            capture.set(number, asked[key])
    # One to be filled while the other is decoded: with a single buffer a driver loses every second frame.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
    return capture, capture.read()[1]


def _connect(url: str, open_timeout_s: float, read_timeout_s: float) -> tuple[Any, Any]:
    """A network stream and its first picture; None for what did not come in time.

    In a thread of its own, because looking up a host name knows no timeout. Should it answer after all, nobody holds
    the capture any more, and OpenCV closes it.
    """
    _silence()
    if _OWN_FFMPEG_OPTIONS is None:
        # Without its buffer FFmpeg throws away what it looked at to know the stream: a short file would be gone.
        no_buffer = "" if url.lower().startswith("http") else "|fflags;nobuffer"
        os.environ[_FFMPEG_OPTIONS] = f"rtsp_transport;tcp|flags;low_delay{no_buffer}"
    timeouts = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(open_timeout_s * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(read_timeout_s * 1000)),
    ]
    answer: list[Any] = [None, None]

    def connect() -> None:
        with running("connection"):
            capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)
            if capture.isOpened():
                answer[:] = capture, capture.read()[1]

    thread = threading.Thread(target=connect, name="streamer-connect", daemon=True)
    thread.start()
    thread.join(open_timeout_s + 0.2)
    return answer[0], answer[1]


def _silence() -> None:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _read_back(capture: Any, image_bgr: NDArray[np.uint8]) -> dict[str, float | str]:
    height, width = image_bgr.shape[:2]
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    fourcc = code.to_bytes(4, "little", signed=code < 0).decode("ascii", "replace").strip("\0 ")
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    return {"width": width, "height": height, "rate_hz": rate_hz, "fourcc": fourcc, "backend": capture.getBackendName()}


def _in_words(settings: Mapping[str, float | str]) -> str:
    rate = f" at {float(settings['rate_hz']):g} fps" if float(settings["rate_hz"]) > 0 else ""
    rest = ", ".join(str(settings[key]) for key in ("fourcc", "backend") if settings[key])
    return f"{settings['width']}x{settings['height']}{rate}, {rest}"


def _notice(label: str, asked: Mapping[str, float | None], given: Mapping[str, float | str]) -> str | None:
    words = {"width": "width", "height": "height", "rate_hz": "frame rate"}
    different = [
        f"{words[key]} {float(given[key]):g} instead of {value:g}"
        for key, value in asked.items()
        if value is not None and abs(float(given[key]) - value) > 0.5
    ]
    return f"{label} gives {', '.join(different)}." if different else None


def _rgb(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture as OpenCV gives it (BGR, or gray) as RGB of this (width, height), should the stream change its size."""
    if image.ndim == 2 or image.shape[2] == 1:
        image_rgb = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    else:
        image_rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if (image_rgb.shape[1], image_rgb.shape[0]) != size:
        image_rgb = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)
    return np.asarray(image_rgb, np.uint8)
