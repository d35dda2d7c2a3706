"""An option whose value may be left out."""

from __future__ import annotations

import pytest

from streamer.cli.serve_option import with_address

FILLED = "--serve=127.0.0.1:8000"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (["0", "--serve"], ["0", FILLED]),
        (["--serve", "0"], [FILLED, "0"]),  # a camera, not a port
        (["--serve", "scene"], [FILLED, "scene"]),
        (["--serve", "rtsp://door:554/1"], [FILLED, "rtsp://door:554/1"]),
        (["--serve", "--no-depth"], [FILLED, "--no-depth"]),
        (["--serve", "9000", "0"], ["--serve", "9000", "0"]),
        (["0", "--serve", "0.0.0.0:9000"], ["0", "--serve", "0.0.0.0:9000"]),
        (["--serve", ":9000"], ["--serve", ":9000"]),
        (["--serve", "[::1]:9000"], ["--serve", "[::1]:9000"]),
        (["--serve=what"], ["--serve=what"]),
        (["scene"], ["scene"]),
    ],
)
def test_the_address_may_be_left_out(given, taken):
    assert with_address(given) == taken
