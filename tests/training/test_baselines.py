"""What needs no training finds what is easy, and so does the program; both are measured as the models are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamer.engine import load
from streamer.evaluation.metrics import iou
from training.baselines import flood_fill, grabcut, measure_baselines, watershed
from training.benchmarks import Benchmark, measure_program
from training.photos import Photo, encode_mask

SIZE = 320, 200


def disc(center: tuple[int, int] = (150, 90), radius_px: int = 50, noise: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc on a dark, slightly noisy ground."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.circle(mask, center, radius_px, 1, -1)
    image = np.random.default_rng(0).integers(0, noise, (*mask.shape, 3)).astype(np.uint8) + 30
    image[mask > 0] += 160
    return image, mask > 0


def box_around(mask: np.ndarray, margin_px: int = 0) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return np.float32(corners) + np.float32([-1, -1, 1, 1]) * margin_px


def test_each_finds_a_disc_on_another_ground() -> None:
    image, truth = disc()
    assert iou(grabcut(image, box_around(truth)), truth) > 0.95
    assert iou(flood_fill(image, (150.7, 90.2)), truth) > 0.9
    assert iou(watershed(image, (150, 90)), truth) > 0.9


def test_a_box_that_leaves_nothing_outside_or_inside_gives_the_whole_picture() -> None:
    image, _ = disc()
    for box in ((0, 0, *SIZE), (10, 10, 11, 90)):
        assert grabcut(image, np.float32(box)).all()


def test_flood_fill_stops_at_edges_and_goes_on_over_gentle_slopes() -> None:
    slope = np.repeat(np.linspace(0, 200, 200).astype(np.uint8)[None, :, None], 60, axis=0).repeat(3, axis=2)
    slope[:, 120:] += 50
    filled = flood_fill(np.ascontiguousarray(slope), (20, 30))
    assert filled[:, :115].all()
    assert not filled[:, 125:].any()


def test_grabcut_gives_the_same_twice() -> None:
    image, truth = disc(noise=120)
    box = box_around(truth, margin_px=15)
    np.testing.assert_array_equal(grabcut(image, box), grabcut(image, box))


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools and NumPy 2
def test_they_are_measured_at_256_px_on_every_region_of_the_benchmark() -> None:
    photos = []
    for size_px in (200, 800):
        image, mask = disc()
        shape = size_px, round(size_px * SIZE[1] / SIZE[0])
        image = cv2.resize(image, shape, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST)
        photos.append(Photo(f"disc {size_px}", image, [encode_mask(mask)]))
    scores = measure_baselines(Benchmark("discs", photos))
    assert scores.keys() == {"GrabCut, box", "flood fill, click", "watershed, click"}
    assert all(0.9 < score <= 1 for score in scores.values())
    image, mask = disc()
    missed = Photo("hidden", np.full_like(image, 90), [encode_mask(mask.astype(np.uint8))])
    halve = measure_baselines(Benchmark("discs", [photos[0], missed]))
    assert halve["flood fill, click"] == pytest.approx(
        (measure_baselines(Benchmark("one", [photos[0]]))["flood fill, click"] + mask.mean()) / 2, abs=0.01
    )


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_the_program_is_measured_by_the_masks_that_it_shows() -> None:
    image, mask = disc()
    photos = [Photo("disc", image, [encode_mask(mask.astype(np.uint8))]), Photo("nothing", image, [])]
    with load("tiny", ["depth=null"]) as engine:
        assert measure_program(engine, Benchmark("discs", photos)) > 0.95
