"""Where videos come from besides files."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tests.end_to_end.conftest import audio_packets_of, frames_of
from tests.mjpeg_server import MjpegServer
from tests.videos import make_video

QUICK = ["--no-masks", "--set", "schedule.depth_interval=1000"]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def test_a_file_on_a_web_server_comes_with_its_sound(inside, tmp_path):
    make_video(tmp_path / "clip.ts", 12, audio=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    try:
        done = inside("annotate", f"http://127.0.0.1:{server.server_port}/clip.ts", "-o", "out.mp4", *QUICK)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (done.code, done.err) == (0, "")
    assert len(frames_of(tmp_path / "out.mp4")[0]) == 12
    assert len(audio_packets_of(tmp_path / "out.mp4")) > 10


def test_a_stream_that_never_ends_is_refused(inside, tmp_path):
    with MjpegServer() as server:
        done = inside("annotate", server.url, "-o", "out.mp4", *QUICK)
    assert done.code == 2
    assert "never ends: use `streamer live" in done.err
    assert not list(tmp_path.iterdir())


def test_a_file_address_is_annotated(inside, tmp_path):
    done = inside("annotate", make_video(tmp_path / "a b.mp4", 4).as_uri(), "-o", "out.mp4", *QUICK)
    assert (done.code, done.err) == (0, "")
    assert len(frames_of(tmp_path / "out.mp4")[0]) == 4
