"""What to say of a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from streamer.errors import ModelError


def unknown(what: str, name: str, known: Iterable[str], otherwise: str = "") -> ModelError:
    """What to raise for a name that is not registered: those that were probably meant, or all where none is near.

    Args:
        what: What was asked for, for people: "segmenter".
        name: What it was called.
        known: Every name that there is.
        otherwise: What else may be given.
    """
    names = list(known)
    close = near(name, names)
    advice = f"did you mean {' or '.join(close)}? `streamer models list` shows all" if close else _all(names)
    return ModelError(f"There is no {what} {name!r}: {advice}{otherwise}.")


def near(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """The names that are most like this one, with or without their owner, whatever the case; the nearest first."""
    short = name.lower().rpartition("/")[2]
    by_short: dict[str, list[str]] = {}
    for each in names:
        by_short.setdefault(each.lower().rpartition("/")[2], []).append(each)
    close = difflib.get_close_matches(short, by_short, n=count, cutoff=0.6)
    return [each for match in close for each in by_short[match]][:count]


def _all(names: list[str]) -> str:
    return f"choose one of {', '.join(names)}"
