from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from streamer.data.frame import Frame
from streamer.data.prompt import prompts_from_labels
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.errors import PromptError, SinkError
from streamer.sinks.masks import PALETTE, MaskSink, labels_of, read_labels

LABELS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.integers(0, 255))


def tracks_of(labels: np.ndarray) -> tuple[Track, ...]:
    ids = [int(value) for value in np.unique(labels) if value]
    return tuple(Track(value, labels == value, None, 0.9, State.TRACKED) for value in ids)


def result(tracks: tuple[Track, ...], shape: tuple[int, int], index: int = 0, stem: str | None = None) -> Result:
    return Result(Frame(index, 0.0, np.zeros((*shape, 3), np.uint8), 0.0, stem), tracks)


@settings(deadline=None)
@given(labels=LABELS)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, labels: np.ndarray) -> None:
    folder = tmp_path_factory.mktemp("masks")
    MaskSink(folder).write(result(tracks_of(labels), labels.shape))
    assert np.array_equal(read_labels(folder / "00000.png"), labels)


@settings(deadline=None)
@given(labels=LABELS)
def test_prompts_tell_the_objects_apart(labels: np.ndarray) -> None:
    if not labels.any():
        with pytest.raises(PromptError, match="empty"):
            prompts_from_labels(labels)
        return
    again = np.zeros_like(labels)
    prompts = prompts_from_labels(labels)
    for prompt in prompts:
        assert prompt.mask is not None
        assert prompt.object_id is not None
        again[prompt.mask] += prompt.object_id
    assert np.array_equal(again, labels)
    assert [prompt.object_id for prompt in prompts] == sorted({int(value) for value in labels.flat} - {0})


def test_files_are_indexed_pngs_named_by_stem_or_index(tmp_path: Path) -> None:
    sink = MaskSink(tmp_path / "made" / "masks")
    sink.write(result((), (4, 6), index=7))
    sink.write(result((), (4, 6), index=8, stem="IMG_0031"))
    sink.close()
    assert sorted(entry.name for entry in (tmp_path / "made" / "masks").iterdir()) == ["00007.png", "IMG_0031.png"]
    with Image.open(tmp_path / "made" / "masks" / "00007.png") as image:
        assert (image.mode, image.size) == ("P", (6, 4))
        assert image.getpalette()[:15] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128]


def test_the_better_score_is_in_front() -> None:
    everywhere, left = np.ones((2, 4), bool), np.tile([True, True, False, False], (2, 1))
    better = Track(1, left, None, 0.9, State.TRACKED)
    worse = Track(2, everywhere, None, 0.4, State.UNCERTAIN)
    assert labels_of(result((better, worse), (2, 4))).tolist() == [[1, 1, 2, 2]] * 2


@pytest.mark.parametrize("object_id", [0, 256])
def test_ids_that_do_not_fit_are_refused(tmp_path: Path, object_id: int) -> None:
    track = Track(object_id, np.ones((2, 2), bool), None, 1.0, State.TRACKED)
    with pytest.raises(SinkError, match=f"ids 1 to 255, but an object has {object_id}"):
        MaskSink(tmp_path).write(result((track,), (2, 2)))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "masks").touch()
    with pytest.raises(SinkError, match="a file has that name"):
        MaskSink(tmp_path / "masks")


def saved(path: Path, values: object, mode: str | None = None) -> Path:
    image = Image.fromarray(np.asarray(values))
    (image.convert(mode) if mode else image).save(path)
    return path


IDS = np.array([[0, 1, 2], [3, 3, 0]], np.uint8)
ONE = np.array([[0, 255, 255], [255, 0, 0]], np.uint8)


@pytest.mark.parametrize(
    ("values", "mode", "expected"),
    [
        pytest.param(ONE, None, ONE // 255, id="gray mask"),
        pytest.param(ONE, "1", ONE // 255, id="bilevel mask"),
        pytest.param(ONE, "P", ONE // 255, id="gray mask saved with a gray palette"),
        pytest.param(ONE, "RGB", ONE // 255, id="white on black"),
        pytest.param(ONE, "RGBA", ONE // 255, id="white on black with alpha"),
        pytest.param(np.array([[0, 90, 255], [200, 0, 0]], np.uint8), None, [[0, 0, 1], [1, 0, 0]], id="soft edges"),
        pytest.param(ONE.astype(np.uint16) * 257, None, ONE // 255, id="16-bit mask"),
        pytest.param(IDS, None, IDS, id="gray ids"),
        pytest.param(IDS.astype(np.uint16), None, IDS, id="16-bit ids"),
        pytest.param(PALETTE[IDS], None, IDS, id="palette colors"),
        pytest.param(np.zeros((2, 3), np.uint8), None, np.zeros((2, 3)), id="nothing"),
    ],
)
def test_reads_every_common_kind_of_mask(
    tmp_path: Path, values: np.ndarray, mode: str | None, expected: np.ndarray
) -> None:
    labels = read_labels(saved(tmp_path / "a.png", values, mode))
    assert labels.dtype == np.uint8
    assert labels.tolist() == np.asarray(expected).tolist()


def test_masks_that_mean_nothing_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    whole = saved(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 9, (64, 64), np.uint8)).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    for path, message in (
        (tmp_path / "none.png", r"cannot be read \(No such file or directory\)"),
        (tmp_path / "text.png", "is not a picture"),
        (tmp_path / "cut.png", "cannot be read"),
        (saved(tmp_path / "many.png", IDS.astype(np.uint16) * 300), "holds the id 900"),
        (saved(tmp_path / "red.png", np.full((2, 2, 3), (250, 3, 9), np.uint8)), r"color \(250, 3, 9\) at 0,0"),
    ):
        with pytest.raises(PromptError, match=message):
            read_labels(path)


def test_the_palette_is_that_of_the_benchmark() -> None:
    assert PALETTE[[21, 22, 128, 255]].tolist() == [[128, 64, 128], [0, 192, 128], [0, 32, 0], [224, 224, 192]]
    assert len(np.unique(PALETTE, axis=0)) == 256
