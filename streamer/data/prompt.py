"""What a person (or the tracker) says about an object, in SAM's own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streamer.errors import PromptError

FOREGROUND, BACKGROUND = 1, 0
MaskLevel = Literal["auto", "part", "object"]
"""Which of SAM's masks of different sizes is meant: the one it is surest of, the smallest, or the largest."""


def _array(values: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[np.float32]:
    try:
        array = np.asarray(values, dtype=np.float32)
    except (ValueError, TypeError):
        raise PromptError(f"{name} must be numbers of the shape {shape}, but it is {values!r}.") from None
    if array.size == 0 and shape[0] == -1:
        return np.empty((0, *shape[1:]), np.float32)
    if array.shape[-1:] != shape[-1:] or array.ndim > len(shape):
        raise PromptError(f"{name} must have the shape {shape}, but it is {array.shape}.")
    array = array.reshape(shape)
    if not np.isfinite(array).all():
        raise PromptError(f"{name} must be finite numbers, but it is {array.tolist()}.")
    return array


def _one_line(label: str) -> str:
    words = label.split() if isinstance(label, str) else []
    if not words:
        raise PromptError(f"A label is a word or a few, as in label='dog', but it is {label!r}.")
    return " ".join(words)


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Prompt:
    """What a person (or the tracker) says about one object on one frame.

    Attributes:
        point_coords: ``(N, 2)`` float32, (x, y) in pixels of the frame.
        point_labels: ``(N,)`` int32, 1 foreground, 0 background.
        box: ``(4,)`` float32, x0, y0, x1, y1 in pixels of the frame, or None.
        mask: ``(H, W)`` bool on the frame, or None: the object itself, known exactly.
        mask_input: ``(h, w)`` float32 low-resolution logits as :meth:`Segmenter.decode` returned them, or None.
        mask_level: Whether a part or the whole is meant, from now on; None leaves that as it is.
        object_id: Which object is meant; None lets the tracker take the next free number.
        label: What it is, in words on one line ("dog"); None says nothing about that.

    Raises:
        PromptError: Shapes do not fit, a point's label is neither 0 nor 1, the box has no area, the id is not above 0,
            or the label has no letters.
    """

    point_coords: NDArray[np.float32]
    point_labels: NDArray[np.int32]
    box: NDArray[np.float32] | None
    mask: NDArray[np.bool_] | None
    mask_input: NDArray[np.float32] | None
    mask_level: MaskLevel | None
    object_id: int | None
    label: str | None

    def __init__(
        self,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        box: ArrayLike | None = None,
        mask: NDArray[np.bool_] | None = None,
        mask_input: NDArray[np.float32] | None = None,
        object_id: int | None = None,
        label: str | None = None,
        mask_level: MaskLevel | None = None,
    ) -> None:
        coords = _array([] if point_coords is None else point_coords, (-1, 2), "point_coords")
        labels = np.ones(len(coords)) if point_labels is None else np.asarray(point_labels)
        if labels.shape != (len(coords),) or not np.isin(labels, (FOREGROUND, BACKGROUND)).all():
            raise PromptError(
                f"point_labels must hold one 1 (foreground) or 0 (background) for each of the {len(coords)} points, "
                f"but it is {labels.tolist()}."
            )
        corners = None if box is None else _array(box, (4,), "box")
        if corners is not None and (corners[2] <= corners[0] or corners[3] <= corners[1]):
            raise PromptError(f"The box {corners.tolist()} has no area: give x0,y0,x1,y1 with x0 < x1 and y0 < y1.")
        if mask is not None and np.ndim(mask) != 2:
            raise PromptError(f"mask must have the shape (H, W), but it is {np.shape(mask)}.")
        if object_id is not None and (not isinstance(object_id, (int, np.integer)) or object_id < 1):
            raise PromptError(f"object_id must be a whole number from 1 up, but it is {object_id!r}.")
        for name, value in (
            ("point_coords", coords),
            ("point_labels", labels.astype(np.int32)),
            ("box", corners),
            ("mask", None if mask is None else np.asarray(mask, bool)),
            ("mask_input", mask_input),
            ("mask_level", mask_level),
            ("object_id", object_id),
            ("label", None if label is None else _one_line(label)),
        ):
            object.__setattr__(self, name, value)

    def moved(self, move: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Prompt:
        """The same clicks and box on another frame, to which ``move`` takes ``(N, 2)`` points; a box by its center."""
        coords, box = move(self.point_coords), self.box
        if box is not None:
            center = box.reshape(2, 2).mean(axis=0, keepdims=True)
            box = box + np.tile(move(center) - center, 2).ravel()
        return Prompt(
            coords,
            self.point_labels,
            box,
            object_id=self.object_id,
            label=self.label,
            mask_level=self.mask_level,
        )

    def __repr__(self) -> str:
        parts = [
            f"{int(label)}@({x:g}, {y:g})" for (x, y), label in zip(self.point_coords, self.point_labels, strict=True)
        ]
        if self.box is not None:
            parts.append(f"box={self.box.tolist()}")
        parts += [
            f"{name}={getattr(self, name).shape}" for name in ("mask", "mask_input") if getattr(self, name) is not None
        ]
        name = "" if self.label is None else f" ({self.label})"
        return f"Prompt(object {self.object_id}{name}: {', '.join(parts) or 'empty'})"


def prompts_from_labels(labels: NDArray[np.integer]) -> list[Prompt]:
    """One mask prompt for each object of a ``(H, W)`` label map, by ascending id; 0 is no object.

    Raises:
        PromptError: There is no object in it.
    """
    prompts = [Prompt(mask=labels == value, object_id=int(value)) for value in np.unique(labels) if value != 0]
    if not prompts:
        raise PromptError("The mask is empty: give each object a value from 1 to 255 in it.")
    return prompts


def check_inside(prompts: Sequence[Prompt], size: tuple[int, int]) -> None:
    """Refuse prompts that do not lie on a frame of this (width, height).

    Raises:
        PromptError: A point lies outside, a box does not touch the frame, or a mask has another size or is empty.
    """
    width, height = size
    for prompt in prompts:
        for x, y in prompt.point_coords:
            if not (0 <= x < width and 0 <= y < height):
                raise PromptError(
                    f"The point {x:g},{y:g} lies outside the frame, which is {width}x{height}: "
                    f"x goes from 0 to {width - 1} and y from 0 to {height - 1}."
                )
        if prompt.box is not None:
            x0, y0, x1, y1 = prompt.box
            if min(x1, width) <= max(x0, 0) or min(y1, height) <= max(y0, 0):
                raise PromptError(
                    f"The box {x0:g},{y0:g},{x1:g},{y1:g} lies outside the frame, which is {width}x{height}."
                )
        if prompt.mask is not None and not prompt.mask.any():
            raise PromptError("The mask is empty: mark the object in it.")
        if prompt.mask is not None and prompt.mask.shape != (height, width):
            mask_height, mask_width = prompt.mask.shape
            raise PromptError(
                f"The mask is {mask_width}x{mask_height} but the frame is {width}x{height}: they must be the same size."
            )
