"""The training's parts, on pictures made here."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamer.data.mask import innermost_of
from streamer.models.tiny.sam import build_sam
from training import augment, loop, prompts, train_depth, train_sam
from training.benchmarks import iou
from training.depth_benchmarks import estimate, score
from training.depth_samples import DepthFrame, load_place, make_depth_sample, stand_in
from training.dpt_model import build_dpt
from training.losses import align, depth_loss, drift_loss, mask_loss, true_iou
from training.photos import DATA_ROOT, Photo, encode_mask, load_bsds, load_coco
from training.prompting import correct, decode, embed_points, set_resolution
from training.samples import Recipe, make_sample, mixture

MASKS = arrays(np.uint8, (24, 32), elements=st.integers(0, 1)).filter(lambda mask: mask.sum() > 0)


def disc_photo(radius_px: int = 20) -> Photo:
    """A bright disc on a dark noisy ground, 96x64."""
    mask = np.zeros((64, 96), np.uint8)
    cv2.circle(mask, (48, 32), radius_px, 1, -1)
    image = np.random.default_rng(radius_px).integers(0, 60, (64, 96, 3)).astype(np.uint8)
    image[mask > 0] += 150
    return Photo("disc", image, [encode_mask(mask)])


def draw_disc(rng: np.random.Generator) -> Photo:
    return disc_photo(int(rng.integers(10, 28)))


@given(MASKS)
def test_clicks_fall_inside(mask: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for x, y in (innermost_of(mask), prompts.random_point(mask, rng)):
        assert mask[int(y), int(x)] == 1


@given(MASKS)
def test_tight_box_holds_the_mask_and_no_more(mask: np.ndarray) -> None:
    x0, y0, x1, y1 = prompts.tight_box(mask).astype(int)
    assert mask[y0:y1, x0:x1].sum() == mask.sum()
    assert mask[y0].any()
    assert mask[y1 - 1].any()
    assert mask[:, x0].any()
    assert mask[:, x1 - 1].any()


@given(MASKS)
def test_jittered_box_stays_in_the_picture(mask: np.ndarray) -> None:
    x0, y0, x1, y1 = prompts.jittered_box(mask, np.random.default_rng(1))
    assert 0 <= min(x0, x1) <= max(x0, x1) <= 32
    assert 0 <= min(y0, y1) <= max(y0, y1) <= 24


@given(MASKS)
def test_corrective_point_is_wrong_there(error: np.ndarray) -> None:
    x, y = prompts.corrective_point(error, None)
    assert error[int(y), int(x)] == 1


def test_corrective_point_picks_the_largest_piece() -> None:
    error = np.zeros((20, 20), np.uint8)
    error[1:3, 1:3] = 1
    error[10:18, 10:18] = 1
    x, y = prompts.corrective_point(error, None)
    assert x >= 10
    assert y >= 10


def test_worn_logits_still_mean_the_mask() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[20:44, 20:44] = 1
    overlaps = [iou(prompts.worn_logits(mask, np.random.default_rng(i)) > 0, mask.astype(np.uint8)) for i in range(20)]
    assert np.mean(overlaps) > 0.5
    assert min(overlaps) < 0.99


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_a_crop_moves_picture_and_mask_alike(seed: int) -> None:
    photo = disc_photo()
    matrix, size = augment.crop_matrix((96, 64), 64, np.random.default_rng(seed))
    assert max(size) == 64
    image = augment.warp_image(photo.image_rgb, matrix, size)
    mask = augment.warp_mask(photo.masks([0])[0], matrix, size)
    if 50 < mask.sum() < mask.size - 50:
        bright = image.mean(axis=2) > 100
        assert iou(bright, mask) > 0.85


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10_000))
def test_samples_are_whole_and_repeatable(seed: int) -> None:
    recipe = Recipe(side_px=64, prompts_per_image=3)
    first, second = (make_sample(draw_disc, recipe, np.random.default_rng(seed)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    width, height = first["valid_size"]
    rows, columns = (32 if side <= 32 else 64 for side in (height, width))
    assert first["image"].shape == (rows, columns, 3)
    assert first["targets"].shape == first["mask_input"].shape == (3, rows // 4, columns // 4)
    assert first["targets"].max(axis=(1, 2)).min() > 0
    assert first["points"].shape == (3, 2, 2)
    assert not first["image"][height:].any()
    assert not first["image"][:, width:].any()


def test_mixture_draws_from_lists_and_functions() -> None:
    draw = mixture([(1.0, [disc_photo(5)]), (1.0, draw_disc)])
    rng = np.random.default_rng(0)
    assert all(draw(rng).name == "disc" for _ in range(10))


def test_points_are_embedded_as_upstream_does() -> None:
    sam = build_sam(64)
    points, box = torch.tensor([[[10.0, 20.0]]]), torch.tensor([[5.0, 6.0, 30.0, 40.0]])
    upstream, _ = sam.prompt_encoder(points=(points, torch.ones(1, 1)), boxes=None, masks=None)
    padded = torch.cat([points, torch.zeros(1, 1, 2)], dim=1)
    assert torch.allclose(embed_points(sam, padded, torch.tensor([[1, -1]])), upstream, atol=1e-6)
    upstream, _ = sam.prompt_encoder(points=None, boxes=box, masks=None)
    assert torch.allclose(embed_points(sam, box.reshape(1, 2, 2), torch.tensor([[2, 3]])), upstream, atol=1e-6)


@torch.inference_mode()
def test_a_batch_is_decoded_as_upstream_decodes_one() -> None:
    torch.manual_seed(0)
    sam = build_sam(64)
    embeddings, box = torch.randn(2, 512, 4, 4), torch.tensor([[5.0, 6.0, 30.0, 40.0]])
    sparse, dense = sam.prompt_encoder(points=None, boxes=box, masks=None)
    position = sam.prompt_encoder.get_dense_pe()
    upstream, upstream_iou = sam.mask_decoder(embeddings[1:], position, sparse, dense, multimask_output=True)
    points, labels = box.reshape(1, 2, 2).expand(2, -1, -1), torch.tensor([[2, 3]]).expand(2, -1)
    logits, predicted = decode(
        sam, embeddings, points, labels, torch.zeros(2, 16, 16), torch.zeros(2, dtype=torch.bool)
    )
    assert torch.allclose(logits[1:, 1:], upstream, atol=1e-4)
    assert torch.allclose(predicted[1:, 1:], upstream_iou, atol=1e-4)


def test_a_correction_says_on_which_side_the_mask_was_wrong() -> None:
    targets = torch.zeros(2, 16, 16)
    targets[:, 4:12, 4:12] = 1
    logits = torch.stack([torch.full((16, 16), -5.0), torch.full((16, 16), 5.0)])
    points, labels = correct(logits, targets, torch.zeros(2, 2, 2), torch.full((2, 2), -1), None)
    assert points.shape == (2, 3, 2)
    assert labels[:, 0].tolist() == [1, 0]
    x, y = points[0, 0] / 4
    assert targets[0, int(y), int(x)] == 1


def test_mask_loss_falls_with_the_error_and_supervises_the_best() -> None:
    targets = torch.zeros(1, 16, 16)
    targets[:, 4:12, 4:12] = 1
    right, wrong = (targets * 2 - 1) * 8, torch.full((1, 16, 16), -8.0)
    perfect = torch.stack([right, wrong, right, wrong], dim=1)
    honest = true_iou(perfect, targets[:, None].expand_as(perfect))
    assert honest.tolist() == [[1.0, 0.0, 1.0, 0.0]]
    good = mask_loss(perfect, honest, targets)
    assert good < mask_loss(perfect, 1 - honest, targets)
    assert good < mask_loss(torch.stack([wrong] * 4, dim=1), torch.zeros(1, 4), targets)


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_depth_loss_ignores_scale_and_shift(scale: float, shift: float) -> None:
    truth = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0)) + 0.1
    valid = torch.ones_like(truth)
    assert depth_loss(truth * scale + shift, truth, valid) < 1e-3
    assert depth_loss(-truth, truth, valid) > 1


def test_align_finds_scale_and_shift_where_valid() -> None:
    truth = torch.rand(1, 8, 8)
    valid = (torch.rand(1, 8, 8) > 0.3).float()
    spoiled = torch.where(valid > 0, truth * 3 + 2, torch.full_like(truth, 99.0))
    assert torch.allclose(align(spoiled, truth, valid)[valid > 0], truth[valid > 0], atol=1e-3)


def test_drift_is_from_the_target_at_mean_one() -> None:
    truth = torch.linspace(1, 3, 16).reshape(1, 4, 4)
    valid = (truth > 1.5).float()
    at_mean_one = truth / truth[valid > 0].mean()
    assert drift_loss(at_mean_one, truth, valid) < 1e-6
    assert drift_loss(at_mean_one + 0.5, 7 * truth, valid) == pytest.approx(0.5)


def test_a_lifted_dpt_answers_the_same_but_for_a_shift() -> None:
    torch.manual_seed(0)
    dpt = build_dpt()
    dpt.head.head[5] = torch.nn.Identity()
    image = np.random.default_rng(0).integers(0, 255, (64, 80, 3), dtype=np.uint8)
    before, after = estimate(dpt, image), estimate(train_depth.lifted(dpt, [image]), image)
    shift = after - before
    assert np.quantile(after, 0.01) > 0
    assert np.abs(shift - np.median(shift)).max() < 0.05 * np.ptp(before)


def test_places_load_by_their_names(tmp_path: Path) -> None:
    depth_mm = np.array([[0, 2000], [500, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.color.jpg"), np.full((2, 2, 3), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "a.depth.png"), depth_mm)
    (frame,) = load_place(tmp_path)
    assert frame.image_rgb.shape == (2, 2, 3)
    assert frame.inverse_depth.tolist() == [[0, 0.5], [2, 0]]


def test_depth_score_is_perfect_up_to_scale_and_shift() -> None:
    truth = np.random.default_rng(0).uniform(0.2, 1, (20, 30)).astype(np.float32)
    truth[:5] = 0
    perfect = score(truth * 4 + 1, truth)
    assert perfect.absolute_relative < 1e-2
    assert perfect.within == 1.0
    assert score(-truth, truth).absolute_relative > 0.1


def test_objects_stand_in_the_room_and_hide_only_what_is_behind() -> None:
    rows = np.linspace(0.1, 1, 64, dtype=np.float32)[:, None].repeat(96, axis=1)
    image = np.zeros((64, 96, 3), np.uint8)
    changed = 0
    for seed in range(10):
        pasted, inverse = stand_in(image, rows, disc_photo(), np.random.default_rng(seed))
        assert (inverse >= rows).all()
        changed += int((inverse > rows).any() and bool(pasted.any()))
    assert changed >= 5


def test_depth_samples_know_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.ones((48, 64), np.float32)
    truth[:24] = 0
    room = DepthFrame(np.zeros((48, 64, 3), np.uint8), truth)
    monkeypatch.setattr("training.depth_samples.draw_rendered", lambda rng: room)
    sample = make_depth_sample([[room]], [disc_photo()], 32, np.random.default_rng(0))
    assert sample["image"].shape == (32, 32, 3)
    assert np.array_equal(sample["valid"] > 0, sample["inverse_depth"] > 0)


def test_sam_learns_from_one_batch() -> None:
    torch.manual_seed(0)
    sam = build_sam()
    set_resolution(sam, 64)
    recipe, rng = Recipe(side_px=64, prompts_per_image=2), np.random.default_rng(0)
    batch = next(loop.batches(cycle([make_sample(draw_disc, recipe, rng) for _ in range(2)]), 2))
    optimizer = loop.make_optimizer(sam, sam.image_encoder.backbone, 1e-3, 0.3)
    losses = []
    for _ in range(6):
        loss = train_sam.step_loss(sam, batch, np.random.default_rng(0), rounds=2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_a_batch_has_samples_of_one_size() -> None:
    shapes = [(32, 64), (64, 32), (32, 64), (64, 64), (64, 32)]
    drawn = loop.batches(cycle([{"image": np.full(shape, at)} for at, shape in enumerate(shapes)]), 2)
    taken = [next(drawn)["image"] for _ in range(3)]
    assert [tuple(image.shape[1:]) for image in taken] == [(32, 64), (64, 32), (32, 64)]
    assert taken[0].flatten(1)[:, 0].tolist() == [0, 2]


def test_dpt_learns_from_one_batch() -> None:
    torch.manual_seed(0)
    dpt = build_dpt()
    dpt.head.head[5] = torch.nn.Identity()
    depth = torch.linspace(0.1, 1, 256)[None, :, None].expand(1, -1, 256).contiguous()
    image = (depth[..., None] * 255).to(torch.uint8).expand(-1, -1, -1, 3)
    batch = {"image": image, "inverse_depth": depth, "valid": torch.ones_like(depth)}
    optimizer = loop.make_optimizer(dpt, dpt.dpt.embeddings.backbone, 1e-3, 0.3)
    losses = []
    for _ in range(6):
        loss = train_depth.step_loss(dpt, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_checkpoints_bring_everything_back(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3))
    average, optimizer = loop.Average(model), loop.make_optimizer(model, torch.nn.Linear(1, 1), 1e-2, 0.3)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    average.update(model, 1)
    loop.save_checkpoint(tmp_path / "c.pt", model, average, optimizer, loop.Progress(7, 12.5))
    fresh = torch.nn.Sequential(torch.nn.Linear(3, 3))
    fresh_average, fresh_optimizer = loop.Average(fresh), loop.make_optimizer(fresh, torch.nn.Linear(1, 1), 1e-2, 0.3)
    assert loop.load_checkpoint(tmp_path / "c.pt", fresh, fresh_average, fresh_optimizer) == loop.Progress(7, 12.5)
    assert torch.equal(fresh[0].weight, model[0].weight)
    assert torch.equal(fresh_average.model[0].weight, average.model[0].weight)


def test_learning_rate_warms_up_and_fades() -> None:
    factors = [loop.learning_rate_factor(step, step / 1000) for step in range(1000)]
    assert factors[0] < 0.05
    assert max(factors) > 0.95
    assert factors[-1] < 0.02


def test_real_photos_load_with_their_regions() -> None:
    if not (DATA_ROOT / "coco-mini").is_dir():
        pytest.skip("../shared/data is not here")
    held_out = load_coco(DATA_ROOT, held_out=True)
    bsds = load_bsds(DATA_ROOT, ("test",), limit=2)
    assert 50 <= len(held_out) <= 60
    assert all(photo.masks([0]).shape[1:] == photo.image_rgb.shape[:2] for photo in held_out + bsds)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000))
@example(5339)
def test_what_the_tracker_says_lies_where_it_should(seed: int) -> None:
    rng = np.random.default_rng(seed)
    recipe = Recipe(side_px=128, prompts_per_image=2, carried=True)
    sample = make_sample(draw_disc, recipe, rng)
    assert sample["points"].shape == (2, 14, 2)
    assert sample["has_mask"].all()
    for points, labels, target in zip(sample["points"], sample["labels"], sample["targets"], strict=True):
        x, y = (points / 4).astype(int).clip(0, 31).T
        assert target[y[labels == 1], x[labels == 1]].mean() > 0.5
        if (labels == 0).any():
            assert target[y[labels == 0], x[labels == 0]].mean() < 0.4
        assert (points[labels == 2] < points[labels == 3]).all()


def test_interleaved_streams_come_in_their_shares() -> None:
    drawn = loop.interleaved([iter(lambda: "a", None), iter(lambda: "b", None)], (0.75, 0.25), seed=0)
    first = [next(drawn) for _ in range(400)]
    assert 60 < first.count("b") < 140
