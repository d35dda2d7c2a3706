"""From ``--point``, ``--box`` and ``--init-mask`` to prompts, and the line that says how they were understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from streamer.errors import PromptError

if TYPE_CHECKING:
    from streamer.data.prompt import Prompt

APART_PX = 64.0
"""Clicks without ids that are farther from each other are about different objects: about a hand's size at 720p."""


@dataclass(slots=True)
class _Said:
    """What was said about one object, in the order of the command line."""

    coords: list[list[float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    corners: list[float] | None = None

    def distance_to(self, point: Sequence[float]) -> float:
        """To the nearest click of the object, 0 inside its box [px]."""
        x, y = point
        distances = [hypot(x - other[0], y - other[1]) for other in self.coords]
        if self.corners is not None:
            x0, y0, x1, y1 = self.corners
            distances.append(hypot(max(x0 - x, 0, x - x1), max(y0 - y, 0, y - y1)))
        return min(distances)

    def joined(self, other: _Said | None) -> _Said:
        """What both say about one object; at most one of them has a box."""
        if other is None:
            return self
        return _Said(self.coords + other.coords, self.labels + other.labels, self.corners or other.corners)


def read_prompts(
    points: Sequence[str] | None, boxes: Sequence[str] | None, init_mask: Path | None = None
) -> list[Prompt]:
    """The prompts about the first frame: one per object, then those of the mask.

    What has an id is about that object. Each box without one is an object of its own; a click without one belongs to
    the object in whose box it lies or whose click is near, else it is an object of its own too. A background click
    without an id is about the nearest of these. The first object without an id is object 1.

    Raises:
        PromptError: A value does not look like ``[ID:]X,Y[,LABEL]`` or ``[ID:]X0,Y0,X1,Y1``, an object has two boxes
            or background clicks only, or the mask cannot be read.
    """
    from streamer.data.prompt import Prompt

    said: dict[int, _Said] = {}
    unnamed: list[_Said] = []
    for text in boxes or []:
        object_id, values = _numbers(text, (4,), "--box", "[ID:]X0,Y0,X1,Y1")
        if object_id is not None and object_id in said:
            raise PromptError(
                f"Object {object_id} has two boxes: give the second one another id, "
                f"as in --box {object_id + 1}:{text.rpartition(':')[2]}."
            )
        xs, ys = sorted(values[::2]), sorted(values[1::2])
        box = _Said(corners=[xs[0], ys[0], xs[1], ys[1]])
        if object_id is None:
            unnamed.append(box)
        else:
            said[object_id] = box
    for text in _foreground_first(points or []):
        object_id, values = _numbers(text, (2, 3), "--point", "[ID:]X,Y[,LABEL]")
        label = _label(values[2], text) if len(values) == 3 else 1
        known = _of_point(values[:2], label, unnamed) if object_id is None else said.setdefault(object_id, _Said())
        known.coords.append(values[:2])
        known.labels.append(label)
    for one in unnamed:
        object_id = next(number for number in count(1) if number not in said or _is_first(one, unnamed, said[number]))
        said[object_id] = one.joined(said.get(object_id))
    prompts = [Prompt(one.coords, one.labels, one.corners, object_id=number) for number, one in sorted(said.items())]
    prompts += _from_mask(init_mask) if init_mask is not None else []
    _check_foreground(prompts)
    return prompts


def say_understood(
    prompts: Sequence[Prompt], points: Sequence[str] | None, boxes: Sequence[str] | None, aside: bool
) -> None:
    """Tell the person what is followed, where it could have been meant otherwise; on the standard error if aside."""
    line = understood(prompts, points, boxes)
    if line is not None:
        typer.echo(line, err=aside)


def understood(prompts: Sequence[Prompt], points: Sequence[str] | None, boxes: Sequence[str] | None) -> str | None:
    """One line that says what is followed; None where nothing could have been meant otherwise."""
    unnamed = [text for text in [*(points or []), *(boxes or [])] if ":" not in text]
    pointed = [prompt for prompt in prompts if prompt.mask is None]
    if len(unnamed) < 2 and not any(_is_turned(text) for text in boxes or []):
        return None
    words = ", ".join(f"{prompt.object_id} {_place(prompt)}" for prompt in pointed)
    noun = "object" if len(pointed) == 1 else "objects"
    return f"Understood as {len(pointed)} {noun}: {words}. Ids say otherwise, as in --point 1:X,Y."


def _foreground_first(points: Sequence[str]) -> list[str]:
    """Background clicks last: which object is the nearest is known only then."""
    return sorted(points, key=lambda text: text.count(",") == 2 and text.rpartition(",")[2].strip() in ("0", "0.0"))


def _of_point(point: Sequence[float], label: int, unnamed: list[_Said]) -> _Said:
    """The object without an id that a click is about, a new one where it lies apart from all."""
    nearest = min(unnamed, key=lambda one: one.distance_to(point), default=None)
    if nearest is not None and (label == 0 or nearest.distance_to(point) <= (0 if nearest.corners else APART_PX)):
        return nearest
    unnamed.append(_Said())
    return unnamed[-1]


def _is_first(one: _Said, unnamed: list[_Said], named: _Said) -> bool:
    """Whether what has no id is about an object that is named as well: the first may be, unless both have a box."""
    return one is unnamed[0] and not (one.corners and named.corners)


def _place(prompt: Prompt) -> str:
    """Where a prompt is, in words."""
    words = [] if prompt.box is None else [f"in {','.join(f'{value:g}' for value in prompt.box)}"]
    words += [
        f"{'at' if label else 'not at'} {x:g},{y:g}"
        for (x, y), label in zip(prompt.point_coords, prompt.point_labels, strict=True)
    ]
    return " and ".join(words)


def _is_turned(text: str) -> bool:
    _, (x0, y0, x1, y1) = _numbers(text, (4,), "--box", "[ID:]X0,Y0,X1,Y1")
    return x0 > x1 or y0 > y1


def _check_foreground(prompts: Sequence[Prompt]) -> None:
    for prompt in prompts:
        same = [other for other in prompts if other.object_id == prompt.object_id]
        if not any(other.box is not None or other.mask is not None or other.point_labels.any() for other in same):
            raise PromptError(f"Object {prompt.object_id} has background clicks only: add a click on it, or a box.")


def _numbers(text: str, counts: tuple[int, ...], option: str, form: str) -> tuple[int | None, list[float]]:
    """The id (None if there is none) and the numbers of one option."""
    name, _, rest = text.rpartition(":")
    try:
        object_id = int(name) if name else None
        values = [float(part) for part in rest.split(",")]
    except ValueError:
        object_id, values = None, []
    if len(values) not in counts:
        raise PromptError(f"{option} {text!r} must look like {form}, in pixels of the first frame.")
    if object_id is not None and not 1 <= object_id <= 255:
        raise PromptError(f"{option} {text!r}: the id must be from 1 to 255.")
    return object_id, values


def _label(value: float, text: str) -> int:
    """1 for foreground, 0 for background."""
    if value not in (0, 1):
        raise PromptError(f"--point {text!r}: the label must be 1 (foreground) or 0 (background).")
    return int(value)


def _from_mask(path: Path) -> list[Prompt]:
    from streamer.data.prompt import prompts_from_labels
    from streamer.sinks.masks import read_labels

    prompts = prompts_from_labels(read_labels(path))
    if not prompts:
        raise PromptError(f"The mask {path} is empty: mark each object with a value above 0.")
    return prompts
