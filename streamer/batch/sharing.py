"""How the work is divided: between machines, and between the workers of one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from streamer.batch.listing import Entry
from streamer.data.cores import core_count
from streamer.errors import ConfigError

CORES_EACH = 2
"""Processor cores of a worker: decoding, drawing and encoding run beside the models."""


def read_shard(text: str) -> tuple[int, int]:
    """``2/8`` as (2, 8).

    Raises:
        ConfigError: It does not look like that.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    part, parts = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part <= parts:
        raise ConfigError(f"--shard {text!r} must look like 2/8, from 1/8 to 8/8.")
    return part, parts


def part_of(entries: Sequence[Entry], part: int, parts: int) -> list[Entry]:
    """Every ``parts``-th entry, from the ``part``-th on, counted from 1: together all of them, none twice."""
    return list(entries[part - 1 :: parts])


def cores_for(jobs: int | None, cores_each: int | None, videos: int) -> tuple[int, int]:
    """How many workers there are, and how many processor cores each has.

    Args:
        jobs: Workers asked for; None for as many as have enough cores.
        cores_each: Cores asked for; None for a fair part of all.
        videos: More workers than videos are of no use.
    """
    cores = core_count()
    workers = min(jobs or max(1, cores // (cores_each or CORES_EACH)), max(videos, 1))
    return workers, cores_each or max(1, cores // workers)
