"""Pictures of every kind, and folders of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.data.frame import Frame
from streamer.errors import SourceError
from streamer.sources.images import ImageFolderSource, ImageSource

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
    ("picture", "pixel"),
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
def test_every_kind_of_png_becomes_rgb(tmp_path: Path, picture: Image.Image, pixel: list[int]) -> None:
    picture.save(tmp_path / "picture.png")
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


def test_a_file_of_several_pictures_says_that_one_is_used(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (8, 6), color) for color in ("red", "blue", "green")]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    info = ImageSource(tmp_path / "pages.tif").info
    assert info.notice == f"{tmp_path / 'pages.tif'} holds 3 pictures, of which only the first is used."
    assert info.folders == {tmp_path.resolve()}
    pages[0].save(tmp_path / "page.tif")
    assert ImageSource(tmp_path / "page.tif").info.notice is None
