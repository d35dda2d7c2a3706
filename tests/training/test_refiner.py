"""What the refiner learns from, and that it learns."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from streamer.models.tiny.refiner import RefinerNetwork
from streamer.tracking.soft_masks import INSIDE
from tests.training.test_training import disc_photo
from training.refiner_films import Film, of_photos, of_scene
from training.refiner_tracks import Track, Walk, displaced
from training.train_refiner import as_masks, flipped, measured, refiner_loss, stacked

SIDE_PX = 32


@cache
def scene() -> Film:
    (film,) = of_scene(1000, frames=16, objects=3, twins=False)
    return film


def test_flow_and_truth_of_a_film_belong_together() -> None:
    film, number = scene(), scene().objects[0]
    walk = Walk(film, number, 0, film.truth(0, number), SIDE_PX, settle_after=5)
    for age in range(1, 4):
        sample = walk.advance()
        assert sample is not None
        assert sample.planes.shape == (SIDE_PX, SIDE_PX, 11)
        walk.take(sample.planes[..., 0])
        carried, answered = walk.ious()
        assert carried == pytest.approx(answered, abs=0.15), age
        assert carried > 0.5


def test_a_walk_ends_with_its_film_and_a_track_goes_on_elsewhere() -> None:
    film, number = scene(), scene().objects[0]
    walk = Walk(film, number, 0, film.truth(0, number), SIDE_PX, settle_after=5)
    walk.skip(100)
    assert walk.over
    track = Track([[film]], [1.0], SIDE_PX, np.random.default_rng(0))
    for _ in range(40):
        sample = track.sample()
        track.take(sample.planes[..., 1])
        assert sample.truth.shape == (SIDE_PX, SIDE_PX)


def test_photographs_move_and_what_is_in_front_hides_what_is_behind() -> None:
    films = of_photos(lambda rng: disc_photo(int(rng.integers(10, 28))), 6, np.random.default_rng(1))
    assert all(len(film.halves) == len(film.labels) == len(film.flows) for film in films)
    assert any(np.abs(flow.astype(float)).mean() > 0.05 for film in films for flow in film.flows)
    assert all(1 <= number <= label_most for film in films for number in film.objects for label_most in [9])


def test_a_displaced_mask_is_nearly_right() -> None:
    film = scene()
    truth, rng = film.truth(0, film.objects[0]), np.random.default_rng(0)
    others = [displaced(truth, rng) for _ in range(10)]
    assert any(((other > INSIDE) != (truth > INSIDE)).any() for other in others)
    for other in others:
        shared = np.count_nonzero((other > INSIDE) & (truth > INSIDE))
        assert 0.3 < shared / np.count_nonzero((other > INSIDE) | (truth > INSIDE)) <= 1


def test_it_learns_from_one_batch_and_is_measured() -> None:
    torch.manual_seed(0)
    network = RefinerNetwork((8, 12, 16), (1, 1, 1)).train()
    track = Track([[scene()]], [1.0], SIDE_PX, np.random.default_rng(3))
    batch = stacked([track.sample() for _ in range(8)])
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    losses = []
    for _ in range(12):
        loss = refiner_loss(*network(batch["planes"]), batch["truth"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert measured(network.eval(), [scene()], SIDE_PX).startswith("1: 0.")


def test_half_a_batch_is_mirrored_and_its_answers_are_mirrored_back() -> None:
    values, which = torch.arange(12.0).reshape(2, 2, 3) - 6, torch.tensor([False, True])
    assert torch.equal(flipped(flipped(values, which), which), values)
    assert flipped(values, which)[1, 0].tolist() == values[1, 0].flip(0).tolist()
    assert as_masks(values)[0, 0, 0] == 1
