"""Indexed PNGs as the DAVIS benchmark has them: the value of a pixel is the id of the object it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from streamer.data.result import Result
from streamer.errors import PromptError, SinkError
from streamer.sinks.outputs import reason_of
from streamer.sinks.pngs import PngSink

MAX_ID = 255
_INDEX = np.dtype(np.uint8)


def _davis_palette() -> NDArray[np.uint8]:
    """The colors of DAVIS and PASCAL VOC, ``(256, 3)``: bits 0, 3, 6 of the id count from the top into red, etc."""
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for channel in range(3):
        for bit in range(3):
            palette[:, channel] |= ((ids >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return palette


PALETTE = _davis_palette()


class MaskSink(PngSink):
    """Writes one indexed PNG per frame. Where masks overlap, the object of higher score is in front."""

    def image_of(self, result: Result) -> Image.Image:
        """The labels of one frame in the colors of DAVIS.

        Raises:
            SinkError: An object's id is above 255.
        """
        return indexed(labels_of(result))


def indexed(labels: NDArray[np.uint8]) -> Image.Image:
    """A picture of ``(H, W)`` labels in the colors of DAVIS."""
    image = Image.fromarray(labels)
    image.putpalette(PALETTE.tobytes())
    return image


def labels_of(result: Result, dtype: np.dtype[Any] = _INDEX) -> NDArray[Any]:
    """``(H, W)`` object ids, 0 where there is no object; where masks overlap, the higher score is in front.

    Args:
        result: The frame.
        dtype: Unsigned integers: uint8 for an indexed PNG, uint16 for a label image.

    Raises:
        SinkError: An object's id does not fit into them.
    """
    width, height = result.frame.size
    labels = np.zeros((height, width), dtype)
    highest = np.iinfo(dtype).max
    for track in sorted(result.tracks, key=lambda track: track.score):
        if not 1 <= track.id <= highest:
            raise SinkError(
                f"A label image of {dtype.itemsize * 8} bits holds the ids 1 to {highest}, but an object has "
                f"{track.id}: use --jsonl."
            )
        labels[track.mask] = track.id
    return labels


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Object ids of a mask picture, ``(H, W)`` uint8, 0 where there is no object.

    An indexed PNG keeps its indices. In a gray picture (8 or 16 bit) the values are the ids, unless it holds white:
    then it is the mask of one object, id 1, from half brightness up. Colors are looked up in the DAVIS palette.

    Raises:
        PromptError: The file cannot be read, an id is above 255, or a color is not in the palette.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return _labels(image, path)
    except UnidentifiedImageError:
        raise PromptError(f"The mask {path} is not a picture: give an indexed or gray PNG.") from None
    except (OSError, SyntaxError) as error:
        raise PromptError(f"The mask {path} cannot be read ({reason_of(error)}): check the path.") from None


def _labels(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    if image.mode == "P" and not _is_gray_ramp(image):
        return np.array(image)
    if image.mode in ("1", "L", "LA"):
        return _gray_labels(np.array(image.convert("L")), 255, path)
    if image.mode.startswith("I"):
        return _gray_labels(np.array(image), 65535, path)
    colors = np.array(image.convert("RGB"))
    if (colors == colors[..., :1]).all():
        return _gray_labels(colors[..., 0], 255, path)
    return _color_labels(colors, path)


def _is_gray_ramp(image: Image.Image) -> bool:
    palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _gray_labels(values: NDArray[np.integer], white: int, path: Path) -> NDArray[np.uint8]:
    if values.max(initial=0) == white:
        return (values > white // 2).astype(np.uint8)
    if values.max(initial=0) > MAX_ID:
        raise PromptError(f"The mask {path} holds the id {values.max()}, but ids go from 1 to {MAX_ID}: renumber them.")
    return values.astype(np.uint8)


def _color_labels(colors: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    codes = colors.astype(np.int32) @ (1 << 16, 1 << 8, 1)
    palette = PALETTE.astype(np.int32) @ (1 << 16, 1 << 8, 1)
    order = np.argsort(palette)
    ids = order[np.searchsorted(palette[order], codes).clip(max=MAX_ID)]
    strange = palette[ids] != codes
    if strange.any():
        y, x = np.argwhere(strange)[0]
        raise PromptError(
            f"The mask {path} has the color {tuple(map(int, colors[y, x]))} at {x},{y}, which is not in the DAVIS "
            "palette: save it as an indexed PNG."
        )
    return ids.astype(np.uint8)
