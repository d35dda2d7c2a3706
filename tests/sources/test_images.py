"""Pictures of every kind, and folders of them."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from streamer.data.frame import Frame
from streamer.errors import SourceError
from streamer.sources.file import VideoSource
from streamer.sources.images import ImageFolderSource, ImageSource
from streamer.sources.open import open_source
from tests.heif import make_heic

DAVIS = Path(__file__).parent.parent.parent / "shared" / "data" / "davis" / "JPEGImages" / "480p"


def save(path: Path, level: int = 100, size: tuple[int, int] = (12, 8)) -> Path:
    Image.new("RGB", size, (level, level, level)).save(path)
    return path


def read_all(source: ImageFolderSource) -> list[Frame]:
    return list(iter(source.read, None))


def only_pixel(path: Path) -> list[int]:
    frame = ImageSource(path).read()
    assert frame is not None
    return frame.image_rgb[0, 0].tolist()


def test_one_picture_is_one_still_frame(tmp_path: Path) -> None:
    source = ImageSource(save(tmp_path / "cat.png"))
    frame = source.read()
    assert frame is not None
    assert (frame.index, frame.time_s, frame.stem, frame.size) == (0, 0.0, "cat", (12, 8))
    assert source.read() is None
    assert source.info.still
    assert source.info.is_alone
    assert (source.info.name, source.info.frame_count, source.info.path) == ("cat", 1, tmp_path / "cat.png")


def test_the_only_picture_of_a_folder_is_known_to_be_alone(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    assert ImageFolderSource(tmp_path).info.is_alone
    save(tmp_path / "2.png")
    assert not ImageFolderSource(tmp_path).info.is_alone


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    frame = ImageSource(tmp_path / "photo.png").read()
    assert frame is not None
    assert np.array_equal(frame.image_rgb, np.rot90(pixels, -1))


@pytest.mark.parametrize(
    ("image", "pixel"),
    [
        (Image.fromarray(np.full((4, 4), 0x80FF, np.uint16)), [0x80] * 3),
        (Image.fromarray(np.full((4, 4), 77, np.uint8)), [77] * 3),
        (Image.new("1", (4, 4), 1), [255] * 3),
        (Image.new("RGBA", (4, 4), (200, 0, 0, 0)), [255] * 3),
        (Image.new("RGBA", (4, 4), (200, 10, 0, 255)), [200, 10, 0]),
        (Image.new("LA", (4, 4), (50, 255)), [50] * 3),
        (Image.new("RGB", (4, 4), (1, 2, 3)).convert("P", palette=Image.Palette.ADAPTIVE), [1, 2, 3]),
    ],
    ids=["16 bits", "gray", "1 bit", "transparent", "opaque", "gray with alpha", "palette"],
)
def test_every_kind_of_png_becomes_rgb(tmp_path: Path, image: Image.Image, pixel: list[int]) -> None:
    image.save(tmp_path / "picture.png")
    assert only_pixel(tmp_path / "picture.png") == pixel


def test_floating_point_and_cmyk_become_rgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "float.tif")
    Image.new("CMYK", (4, 4), (0, 0, 0, 255)).save(tmp_path / "print.tif")
    assert only_pixel(tmp_path / "float.tif") == [128] * 3
    assert only_pixel(tmp_path / "print.tif") == [0] * 3


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "picture.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"picture\.png cannot be read"):
        ImageSource(tmp_path / "picture.png")
    with pytest.raises(SourceError, match="There is no file"):
        ImageSource(tmp_path / "nowhere.png")


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1, 33):
        save(tmp_path / f"img{number}.png", number)
    save(tmp_path / ".hidden.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    source = ImageFolderSource(tmp_path, rate_hz=10)
    frames = read_all(source)
    assert [frame.stem for frame in frames] == ["img1", "img2", "img10", "img33"]
    assert [frame.image_rgb[0, 0, 0] for frame in frames] == [1, 2, 10, 33]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert (source.info.name, source.info.frame_count, source.info.still) == (tmp_path.name, 4, False)
    assert source.damage is None


def test_listed_pictures_that_share_a_stem_carry_none(tmp_path: Path) -> None:
    paths = [save(tmp_path / "a.png"), save(tmp_path / "a.bmp")]
    assert [frame.stem for frame in read_all(ImageFolderSource(paths))] == [None, None]


def test_a_picture_of_another_size_is_fitted_whole(tmp_path: Path) -> None:
    save(tmp_path / "1.png", size=(40, 20))
    save(tmp_path / "2.png", level=200, size=(20, 20))
    second = read_all(ImageFolderSource(tmp_path))[1]
    assert second.size == (40, 20)
    assert (second.image_rgb[:, 10:30] == 200).all()
    assert (second.image_rgb[:, :10] == 0).all()
    assert (second.image_rgb[:, 30:] == 0).all()


def test_an_unreadable_picture_is_left_out_and_told(tmp_path: Path) -> None:
    for name in ("1", "3"):
        save(tmp_path / f"{name}.png")
    (tmp_path / "2.png").write_bytes(b"text")
    source = ImageFolderSource(tmp_path)
    assert [frame.index for frame in read_all(source)] == [0, 2]
    assert source.damage is not None
    assert "1 of 3 pictures" in source.damage
    assert "2.png" in source.damage


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        ImageFolderSource(tmp_path)
    with pytest.raises(SourceError, match="cannot be read"):
        ImageFolderSource(tmp_path / "nowhere")
    (tmp_path / "1.png").write_bytes(b"text")
    with pytest.raises(SourceError, match="None of the 1 pictures"):
        ImageFolderSource(tmp_path)
    with pytest.raises(SourceError, match="no picture in the list"):
        ImageFolderSource([])


@pytest.mark.skipif(not DAVIS.is_dir(), reason="the DAVIS sequences of ../shared/data are not here")
def test_a_davis_sequence_keeps_its_names() -> None:
    folder = next(path for path in sorted(DAVIS.iterdir()) if path.is_dir())
    source = ImageFolderSource(folder)
    frame = source.read()
    assert frame is not None
    assert (frame.stem, frame.size, source.info.name) == ("00000", (854, 480), folder.name)
    assert source.info.frame_count == len(list(folder.glob("*.jpg")))


def test_a_photo_of_which_more_than_one_is_inside_is_the_first(tmp_path: Path) -> None:
    photo = Image.new("RGB", (8, 6), "red")
    photo.save(tmp_path / "stereo.jpg", format="MPO", save_all=True, append_images=[Image.new("RGB", (8, 6), "blue")])
    source = open_source(tmp_path / "stereo.jpg")
    assert isinstance(source, ImageSource)
    assert source.info.notice == f"{tmp_path / 'stereo.jpg'} holds 2 pictures, of which only the first is used."
    assert source.info.folders == {tmp_path.resolve()}
    assert ImageSource(save(tmp_path / "page.tif")).info.notice is None


@pytest.mark.parametrize("name", ["pages.tif", "moving.webp", "moving.png"])
def test_images_that_follow_each_other_in_one_file_are_a_video(tmp_path: Path, name: str) -> None:
    colors = ["red", "blue", "green"]
    pages = [Image.new("RGB", (8, 6), color) for color in colors]
    times = {} if name.endswith("tif") else {"duration": [40, 200, 40]}
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:], **({"lossless": True} | times))
    source = open_source(tmp_path / name)
    frames = list(iter(source.read, None))
    assert [frame.image_rgb[0, 0].tolist() for frame in frames] == [[255, 0, 0], [0, 0, 255], [0, 128, 0]]
    expected_s = [0, 1 / 24, 2 / 24] if name.endswith("tif") else [0, 0.04, 0.24]
    assert [frame.time_s for frame in frames] == pytest.approx(expected_s)
    assert (source.info.still, source.info.frame_count, source.damage) == (False, 3, None)


def test_smaller_versions_of_a_photo_in_its_file_are_no_video(tmp_path: Path) -> None:
    photo, small = Image.new("RGB", (8, 6), "red"), Image.new("RGB", (4, 3), "red")
    photo.save(tmp_path / "photo.tif", save_all=True, append_images=[small])
    assert open_source(tmp_path / "photo.tif").info.still


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("color", [False, True], ids=["gray", "color"])
def test_as_many_bits_count_as_the_sensor_had(tmp_path: Path, bits: int, color: bool) -> None:
    ramp = np.linspace(0, 2**bits - 1, 64).astype(np.uint16)[None].repeat(4, axis=0)
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp[..., None].repeat(3, axis=2) if color else ramp)
    frame = ImageSource(tmp_path / "ramp.png").read()
    assert frame is not None
    assert np.abs(frame.image_rgb[0, :, 1] - np.linspace(0, 255, 64)).max() < 1.5


def test_colors_of_16_bits_keep_their_places(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((4, 4, 3), (0, 0x8000, 0xFFFF), np.uint16))
    assert only_pixel(tmp_path / "red.png") == [255, 127, 0]


@pytest.mark.parametrize(("most", "half"), [(1.0, 128), (3.0, 128), (255.0, 128), (65535.0, 128)])
def test_floating_point_of_any_range_is_neither_black_nor_white(tmp_path: Path, most: float, half: int) -> None:
    Image.fromarray(np.array([[most / 2, most, np.nan, -1]] * 4, np.float32)).save(tmp_path / "float.tif")
    frame = ImageSource(tmp_path / "float.tif").read()
    assert frame is not None
    assert frame.image_rgb[0, :, 0].tolist() == [half, 255, 0, 0]


def test_brightness_does_not_flicker_within_a_folder(tmp_path: Path) -> None:
    for number, level in enumerate([4000, 900]):
        Image.fromarray(np.full((4, 4), level, np.uint16)).save(tmp_path / f"{number}.png")
    assert [int(frame.image_rgb[0, 0, 0]) for frame in read_all(ImageFolderSource(tmp_path))] == [249, 56]


def test_a_photo_made_of_tiles_is_read_whole(tmp_path: Path) -> None:
    y, x = np.mgrid[:128, :192]
    image = np.stack([x, y * 2 - 1, 255 - x], axis=-1).clip(0, 255).astype(np.uint8)
    path = make_heic(tmp_path / "IMG_0001.HEIC", image)
    for source in (open_source(path), open_source(tmp_path)):
        frame = source.read()
        assert frame is not None
        assert frame.image_rgb.shape == image.shape
        assert np.abs(frame.image_rgb.astype(int) - image).mean() < 4


def test_tiles_are_not_taken_for_a_video(tmp_path: Path) -> None:
    path = make_heic(tmp_path / "photo.mp4", np.full((128, 128, 3), 90, np.uint8))
    with pytest.raises(SourceError, match="holds no video"):
        VideoSource(path)


def test_a_heic_photo_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(SourceError, match=r"needs a library: run `uv pip install pillow-heif`\.$"):
        ImageSource(tmp_path / "photo.heic")


@pytest.mark.parametrize(("focal_35mm", "fov_deg"), [(26, 69.4), (50, 39.6), (0, None), (None, None)])
def test_a_photo_tells_the_focal_length_of_its_lens(tmp_path, focal_35mm, fov_deg):
    exif = Image.Exif()
    if focal_35mm is not None:
        exif.get_ifd(0x8769)[0xA405] = focal_35mm
    Image.new("RGB", (360, 240)).save(tmp_path / "photo.jpg", exif=exif)
    for source in (ImageSource(tmp_path / "photo.jpg"), ImageFolderSource(tmp_path)):
        with source:
            camera = source.info.camera
        if fov_deg is None:
            assert camera is None
            continue
        assert (camera.size, camera.provenance) == ((360, 240), "photo")
        assert camera.fx == camera.fy == pytest.approx(focal_35mm * 10, rel=1e-3)
        assert math.degrees(2 * math.atan(180 / camera.fx)) == pytest.approx(fov_deg, abs=0.1)
