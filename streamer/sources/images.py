"""Single pictures, and folders of pictures that make a sequence."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from streamer.data.camera_model import CameraModel
from streamer.data.frame import Frame
from streamer.data.original import Original
from streamer.data.source import HEIF_SUFFIXES, IMAGE_SUFFIXES, BaseSource, SourceInfo, exact_rate
from streamer.errors import SourceError
from streamer.sources.levels import Levels

_ORIENTATION = 0x0112
"""The EXIF tag that says how a photo was held."""
_EXIF, _FOCAL_LENGTH_IN_35MM_FILM = 0x8769, 0xA405
"""EXIF's own directory, and the tag in it that tells a focal length [mm], 0 where it is not known."""


class ImageSource(BaseSource):
    """One picture.

    Args:
        path: Its file.
        keep_bits: Give it its `Original`, where it has 16 bits.

    Raises:
        SourceError: It does not exist or is no picture.
    """

    def __init__(self, path: str | Path, keep_bits: bool = False) -> None:
        super().__init__()
        path, levels = Path(path), Levels()
        self._image: NDArray[np.uint8] | None = read_rgb(path, levels)
        self._original = read_original(path, levels) if keep_bits else None
        height, width = self._image.shape[:2]
        count = _images_inside(path)
        self._info = SourceInfo(
            path.stem,
            (width, height),
            frame_count=1,
            still=True,
            path=path,
            folders=frozenset({path.resolve().parent}),
            camera=camera_of(path, (width, height)),
            notice=None if count == 1 else f"{path} holds {count} pictures, of which only the first is used.",
        )

    def _read(self) -> Frame | None:
        image, self._image = self._image, None
        if image is None:
            return None
        return Frame(0, 0.0, image, time.monotonic(), self._info.name, original=self._original)


class ImageFolderSource(BaseSource):
    """The pictures of a folder, or listed ones, as a sequence in natural order (2 before 10).

    All frames have the size of the first picture that can be read; one of another size is fitted into it whole, with
    black bars. A picture that cannot be read is left out and told in `damage`; its index and time stay free, so that
    the others keep theirs. Frames carry the stem of their file unless two files share one.

    Args:
        images: A folder, or the pictures themselves.
        rate_hz: The rate they are played at (DAVIS was shot at 24).
        keep_bits: Give those of 16 bits and the size of the first their `Original`.

    Raises:
        SourceError: There is no such folder, or no picture in it that can be read.
    """

    def __init__(
        self, images: str | Path | Iterable[str | Path], rate_hz: Fraction | float = 24, keep_bits: bool = False
    ) -> None:
        super().__init__()
        self._keep_bits = keep_bits
        self._rate_hz = exact_rate(rate_hz)
        if isinstance(images, (str, Path)):
            folder = Path(images)
            self._paths = images_in(folder)
        else:
            self._paths = sorted((Path(image) for image in images), key=natural_order)
            if not self._paths:
                raise SourceError("There is no picture in the list: name at least one.")
            folder = self._paths[0].parent
        self._index = 0
        self._unreadable: list[str] = []
        self._levels = Levels()
        stems = {path.stem for path in self._paths}
        self._has_stems = len(stems) == len(self._paths)
        self._pending = self._next_readable()
        if self._pending is None:
            raise SourceError(f"None of the {len(self._paths)} pictures in {folder} can be read: check the files.")
        height, width = self._pending[1].shape[:2]
        self._info = SourceInfo(
            name=folder.resolve().name or "pictures",
            size=(width, height),
            rate_hz=self._rate_hz,
            time_base=1 / self._rate_hz,
            frame_count=len(self._paths),
            folders=frozenset(path.resolve().parent for path in self._paths),
            camera=camera_of(self._paths[self._pending[0]], (width, height)),
        )

    @property
    def damage(self) -> str | None:
        if not self._unreadable:
            return None
        return (
            f"{len(self._unreadable)} of {len(self._paths)} pictures could not be read and were left out, "
            f"the first is {self._unreadable[0]}."
        )

    def _read(self) -> Frame | None:
        found, self._pending = self._pending or self._next_readable(), None
        if found is None:
            return None
        index, image = found
        stem = self._paths[index].stem if self._has_stems else None
        original = read_original(self._paths[index], self._levels) if self._keep_bits else None
        if original is not None and original.image.shape != image.shape:
            original = None
        image, time_s = fitted(image, self._info.size), float(index / self._rate_hz)
        return Frame(index, time_s, image, time.monotonic(), stem, original=original)

    def _next_readable(self) -> tuple[int, NDArray[np.uint8]] | None:
        while self._index < len(self._paths):
            index = self._index
            self._index += 1
            try:
                return index, read_rgb(self._paths[index], self._levels)
            except SourceError:
                self._unreadable.append(str(self._paths[index]))
        return None


def images_in(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order, hidden files left out.

    Raises:
        SourceError: There is no such folder, it may not be read, or it holds no picture.
    """
    try:
        files = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read ({error.strerror}): check the path.") from None
    if not files:
        raise SourceError(f"The folder {folder} holds no pictures: name one with .jpg or .png files, or a video file.")
    return sorted(files, key=natural_order)


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key that counts: img2 comes before img10."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(part), part) if part.isdecimal() else (0, 0, part.casefold()) for part in parts]


def read_rgb(path: Path, levels: Levels | None = None) -> NDArray[np.uint8]:
    """An image as ``(H, W, 3)`` uint8 RGB, turned upright by its EXIF orientation, transparency laid on white.

    Args:
        path: Its file.
        levels: What 16 bits and floating point have been scaled by before, in images of one sequence.

    Raises:
        SourceError: It does not exist or is no image.
    """
    with opened_image(path) as image:
        try:
            return rgb_of(image, levels)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise _unreadable(path, error) from None


def read_original(path: Path, levels: Levels) -> Original | None:
    """The image with its 16 bits; None where it has fewer, floating point, or an EXIF orientation that turns it.

    Args:
        path: Its file, which `read_rgb` has read.
        levels: What it was scaled by.
    """
    with opened_image(path) as image:
        deep = image.mode.startswith("I") or _is_deep(image)
        if not deep or image.getexif().get(_ORIENTATION, 1) != 1:
            return None
        values = np.asarray(image) if image.mode.startswith("I") else _all_bits(image)
    gray_or_rgb = values.astype(np.uint16)
    rgb = cv2.cvtColor(gray_or_rgb, cv2.COLOR_GRAY2RGB) if gray_or_rgb.ndim == 2 else gray_or_rgb
    return Original(rgb, round(levels.white))


def opened_image(path: Path) -> Image.Image:
    """An image whose pixels have not been read yet.

    Raises:
        SourceError: It does not exist, is no image, or needs a library that is not here.
    """
    if path.suffix.lower() in HEIF_SUFFIXES:
        _learn_heif(path)
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the path.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or "it is no picture, or a damaged one"
    return SourceError(f"{path} cannot be read ({reason}): give a JPEG, PNG or similar picture.")


def _learn_heif(path: Path) -> None:
    """Teach Pillow to read what phones write.

    Raises:
        SourceError: The library for it is missing.
    """
    try:
        import pillow_heif
    except ImportError:
        raise SourceError(f"{path} is a HEIC photo, which needs a library: run `uv pip install pillow-heif`.") from None
    pillow_heif.register_heif_opener()


def _images_inside(path: Path) -> int:
    with opened_image(path) as image:
        return getattr(image, "n_frames", 1)


def camera_of(path: Path, size: tuple[int, int]) -> CameraModel | None:
    """The camera of a photo of this (width, height) [px], by the focal length that it tells; None where it does not."""
    with opened_image(path) as image:
        tag = image.getexif().get_ifd(_EXIF).get(_FOCAL_LENGTH_IN_35MM_FILM)
    return CameraModel.of_photo(size, tag) if isinstance(tag, int) and tag > 0 else None


def rgb_of(image: Image.Image, levels: Levels | None = None) -> NDArray[np.uint8]:
    """The present image of an open file as ``(H, W, 3)`` uint8 RGB; see `read_rgb`."""
    if image.mode.startswith(("I", "F")) or _is_deep(image):
        return _upright(_deep(image, levels or Levels()), image)
    return np.array(_to_rgb(ImageOps.exif_transpose(image)))


def _deep(image: Image.Image, levels: Levels) -> NDArray[np.uint8]:
    values = np.asarray(image) if image.mode.startswith(("I", "F")) else _all_bits(image)
    gray_or_rgb = levels.in_8_bits(values)
    return cv2.cvtColor(gray_or_rgb, cv2.COLOR_GRAY2RGB) if gray_or_rgb.ndim == 2 else gray_or_rgb


def _upright(pixels: NDArray[np.uint8], image: Image.Image) -> NDArray[np.uint8]:
    turned = Image.fromarray(pixels)
    turned.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return np.array(ImageOps.exif_transpose(turned))


def _is_deep(image: Image.Image) -> bool:
    """Whether a color PNG holds 16 bits, of which Pillow gives the upper half."""
    return image.format == "PNG" and image.mode == "RGB" and _png_depth(image) == 16


def _png_depth(image: Image.Image) -> int:
    with open(image.filename, "rb") as file:  # type: ignore[attr-defined]
        header = file.read(25)
    return header[24] if len(header) == 25 else 8


def _all_bits(image: Image.Image) -> NDArray[np.generic]:
    values = cv2.imread(str(image.filename), cv2.IMREAD_UNCHANGED)  # type: ignore[attr-defined]
    if values is None:
        raise ValueError("It cannot be read with all its bits.")
    return cv2.cvtColor(values, cv2.COLOR_BGR2RGB) if values.ndim == 3 else values


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture whole and undistorted in a frame of this (width, height), black around it."""
    width, height = size
    rows, columns = image.shape[:2]
    if (columns, rows) == size:
        return image
    scale = min(width / columns, height / rows)
    inner = max(1, round(columns * scale)), max(1, round(rows * scale))
    framed = np.zeros((height, width, 3), np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    framed[y : y + inner[1], x : x + inner[0]] = cv2.resize(image, inner, interpolation=interpolation)
    return framed
