"""Mutated videos: no traceback, no hang, and every frame that decodes comes out.

A slice of them in the ordinary run; 1,000 by ``MUTATIONS=250 pytest tests/fuzz`` (so many of each container).
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.sources.file import VideoSource
from tests.videos import make_video

COUNT = int(os.environ.get("MUTATIONS", "12"))
LIMIT_S = 10


def mutated(content: bytes, seed: int) -> bytes:
    """Some bytes changed, some taken out, or the end cut off, in turn."""
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        changed = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 40)):
            changed[place] = rng.integers(256)
        return bytes(changed)
    place = int(rng.integers(1, len(content)))
    return content[:place] + (content[place + int(rng.integers(1, 400)) :] if seed % 3 == 1 else b"")


def decodable(path: Path) -> int:
    """Frames that come out of FFmpeg on one thread, whatever is wrong in between."""
    count = 0
    with contextlib.suppress(av.FFmpegError, IndexError), av.open(str(path), metadata_errors="replace") as container:
        if container.streams.video[0].codec_context is None:
            return 0
        container.streams.video[0].codec_context.thread_count = 1
        for packet in container.demux(video=0):
            with contextlib.suppress(av.FFmpegError):
                count += len(packet.decode())
    return count


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_mutated_videos_give_all_that_decodes(tmp_path: Path, suffix: str) -> None:
    content = make_video(tmp_path / f"whole.{suffix}", 40, size=(160, 120), audio=suffix != "avi").read_bytes()
    path = tmp_path / f"mutated.{suffix}"
    for seed in range(COUNT):
        path.write_bytes(mutated(content, seed))
        expected, began_s = decodable(path), time.monotonic()
        frames = []
        with contextlib.suppress(SourceError), VideoSource(path) as source:
            frames = list(iter(source.read, None))
        assert len(frames) >= expected, f"seed {seed}"
        times_s = [frame.time_s for frame in frames]
        assert times_s == sorted(set(times_s)), f"seed {seed}: time stands still"
        assert time.monotonic() - began_s < LIMIT_S, f"seed {seed}"
