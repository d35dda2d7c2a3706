"""From what is written on the command line to prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamer.data.prompt import Prompt, prompts_from_labels
from streamer.errors import PromptError


def read_prompts(points: Sequence[str], boxes: Sequence[str], init_mask: Path | None) -> list[Prompt]:
    """The prompts about the first frame: one per object that ``--point`` and ``--box`` name, then those of the mask.

    Raises:
        PromptError: A value does not look like ``[ID:]X,Y[,LABEL]`` or ``[ID:]X0,Y0,X1,Y1``, an object has two boxes,
            or the mask cannot be read.
    """
    coords: dict[int, list[list[float]]] = {}
    labels: dict[int, list[int]] = {}
    corners: dict[int, list[float]] = {}
    for text in points:
        object_id, values = _numbers(text, (2, 3), "--point", "[ID:]X,Y[,LABEL]")
        coords.setdefault(object_id, []).append(values[:2])
        labels.setdefault(object_id, []).append(_label(values[2], text) if len(values) == 3 else 1)
    for text in boxes:
        object_id, values = _numbers(text, (4,), "--box", "[ID:]X0,Y0,X1,Y1")
        if object_id in corners:
            raise PromptError(
                f"Object {object_id} has two boxes: give the second one another id, as in --box 2:{text}."
            )
        xs, ys = sorted(values[::2]), sorted(values[1::2])
        corners[object_id] = [xs[0], ys[0], xs[1], ys[1]]
    prompts = [
        Prompt(coords.get(object_id), labels.get(object_id), corners.get(object_id), object_id=object_id)
        for object_id in sorted({*coords, *corners})
    ]
    prompts += _from_mask(init_mask) if init_mask is not None else []
    for prompt in prompts:
        same = [other for other in prompts if other.object_id == prompt.object_id]
        if not any(other.box is not None or other.mask is not None or other.point_labels.any() for other in same):
            raise PromptError(f"Object {prompt.object_id} has background clicks only: add a click on it, or a box.")
    return prompts


def _numbers(text: str, counts: tuple[int, ...], option: str, form: str) -> tuple[int, list[float]]:
    name, _, rest = text.rpartition(":")
    try:
        object_id = int(name) if name else 1
        values = [float(part) for part in rest.split(",")]
    except ValueError:
        values = []
    if len(values) not in counts:
        raise PromptError(f"{option} {text!r} must look like {form}, in pixels of the first frame.")
    if not 1 <= object_id <= 255:
        raise PromptError(f"{option} {text!r}: the id must be from 1 to 255.")
    return object_id, values


def _label(value: float, text: str) -> int:
    if value not in (0, 1):
        raise PromptError(f"--point {text!r}: the label must be 1 (foreground) or 0 (background).")
    return int(value)


def _from_mask(path: Path) -> list[Prompt]:
    from streamer.sinks.masks import read_labels

    prompts = prompts_from_labels(read_labels(path))
    if not prompts:
        raise PromptError(f"The mask {path} is empty: mark each object with a value above 0.")
    return prompts
