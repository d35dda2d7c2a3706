"""The memory network, the clips it learns from, and what it is measured by."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from streamer.evaluation.metrics import calibration_error
from streamer.models.tiny.memory import ImageFeatures, MemoryNetwork, image_features, read_out
from streamer.models.tiny.memory_decoder import READOUT_WIDTH, Carried, set_apart
from streamer.models.tiny.sam import build_sam
from streamer.models.tiny.weights import load_memory, save_halved
from training import loop
from training.memory_clips import Recipe, cut_away, photo_clip, visible_masks
from training.memory_flow import carry, flow_over
from training.memory_following import VARIANTS, WITH_FLOW, Prepared, follow
from training.memory_photos import without_duplicates
from training.memory_samples import make_sample, worn
from training.memory_steps import Remembering, clip_loss
from training.memory_videos import SceneClips, gapped
from training.photos import Photo, encode_mask

RECIPE = Recipe((96, 64), frames=3)


def draw_disc(rng: np.random.Generator) -> Photo:
    image = rng.integers(0, 80, (80, 120, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:80, :120]
    disc = (rows - 40) ** 2 + (columns - rng.integers(40, 80)) ** 2 < 400
    image[disc] = (250, 200, 40)
    return Photo("disc", image, [encode_mask(disc)])


def features(images: int, seed: int = 0) -> ImageFeatures:
    torch.manual_seed(seed)
    return ImageFeatures(
        torch.randn(images, 600, 4, 6), torch.randn(images, 40, 8, 12), torch.randn(images, 24, 16, 24)
    )


def network() -> MemoryNetwork:
    torch.manual_seed(0)
    return MemoryNetwork().eval().requires_grad_(False)


def carried(images: int, objects: int, known: float) -> Carried:
    return Carried(torch.rand(images, objects, 16, 24), torch.full((images, objects), known))


def test_features_leave_the_embedding_as_it_is() -> None:
    encoder = build_sam().image_encoder
    pixels = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        embedding, seen = image_features(encoder, pixels)
        assert torch.equal(embedding, encoder(pixels))
    assert [tuple(part.shape) for part in seen] == [(1, 600, 4, 6), (1, 40, 8, 12), (1, 24, 16, 24)]


def test_shapes_of_an_answer() -> None:
    memory = network()
    query = memory.keys(features(2))
    values = memory.values(query, torch.rand(2, 3, 16, 24))
    assert values.shape == (2, 3, READOUT_WIDTH, 4, 6)
    answer = memory.read(query, query.key.flatten(2), values.flatten(3), carried(2, 3, 1.0))
    assert answer.mask_logits.shape == (2, 3, 16, 24)
    assert answer.presence_logits.shape == answer.iou_logits.shape == (2, 3)
    assert answer.readout_logits.shape == (2, 3, 4, 6)


def test_keys_have_length_one() -> None:
    assert torch.allclose(network().keys(features(1)).key.norm(dim=1), torch.ones(1, 4, 6), atol=1e-5)


def test_each_object_gets_what_it_would_get_alone_before_they_compete() -> None:
    memory = network()
    query, masks = memory.keys(features(1)), torch.zeros(1, 2, 16, 24)
    masks[:, 0, :8, :8] = 1
    hints = carried(1, 2, 1.0)
    similarity = torch.rand(1, 1, 4, 6)
    values = memory.values(query, masks)
    both, _ = memory.decoder(query, values, similarity, hints)
    alone, _ = memory.decoder(query, values[:, :1], similarity, Carried(hints.masks[:, :1], hints.known[:, :1]))
    assert torch.allclose(both[:, :1], alone, atol=1e-5)


def test_an_unknown_carried_mask_says_nothing() -> None:
    memory = network()
    query = memory.keys(features(1))
    values = memory.values(query, torch.rand(1, 1, 16, 24)).flatten(3)
    answers = [
        memory.read(query, query.key.flatten(2), values, Carried(hint, torch.zeros(1, 1)))
        for hint in (torch.zeros(1, 1, 16, 24), torch.ones(1, 1, 16, 24))
    ]
    assert torch.equal(answers[0].mask_logits, answers[1].mask_logits)
    assert torch.equal(answers[0].iou_logits, answers[1].iou_logits)


def test_a_read_out_finds_the_cells_that_are_alike() -> None:
    keys = torch.nn.functional.normalize(torch.randn(1, 8, 20), dim=1)
    values = torch.arange(20.0)[None, None, None]
    scores = 200 * torch.bmm(keys.transpose(1, 2), keys)
    assert torch.allclose(read_out(scores, values, top_k=3)[0][0, 0, 0], values[0, 0, 0], atol=0.1)


def test_a_read_out_takes_all_where_there_are_fewer() -> None:
    values = torch.tensor([[[[1.0, 3.0]]]])
    assert read_out(torch.zeros(1, 5, 2), values)[0].tolist() == [[[[2.0] * 5]]]


def test_objects_share_no_cell() -> None:
    logits = set_apart(torch.randn(1, 4, 8, 8) * 5, torch.zeros(1, 4, 8, 8))
    assert int((logits > 0).sum(dim=1).max()) == 1
    assert float(logits.sigmoid().sum(dim=1).max()) <= 1 + 1e-5
    alone = torch.randn(1, 1, 8, 8)
    assert torch.equal(set_apart(alone, torch.ones_like(alone)), alone)


def test_weights_survive_the_file(tmp_path: Path) -> None:
    memory = network()
    save_halved(memory, tmp_path / "memory.safetensors")
    loaded = load_memory(tmp_path / "memory.safetensors")
    assert torch.equal(loaded.keys.key.weight, memory.keys.key.weight.half().float())
    assert (tmp_path / "memory.safetensors").stat().st_size < 4e6


def test_samples_follow_what_the_first_frame_shows() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        sample = make_sample(partial(photo_clip, draw_disc), draw_disc, RECIPE, 2, rng)
        assert sample["images"].shape == (3, 64, 96, 3)
        assert sample["masks"].shape == sample["carried"].shape == (3, 2, 16, 24)
        assert (sample["masks"][0].reshape(2, -1).any(1) == sample["real"]).all()
        assert not sample["carried"][~sample["known"]].any()
        assert sample["masks"].sum(1, dtype=int).max() <= 257


def test_the_same_seed_gives_the_same_sample() -> None:
    first, second = (
        make_sample(partial(photo_clip, draw_disc), draw_disc, RECIPE, 2, np.random.default_rng(3)) for _ in range(2)
    )
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_scenes_give_clips_with_a_mask_for_every_object() -> None:
    clip = SceneClips(lambda: 5)(RECIPE, np.random.default_rng(0))
    assert len(clip.images) == len(clip.masks) == 3
    assert len({len(masks) for masks in clip.masks}) == 1


def test_after_a_cut_nothing_of_the_clip_is_seen() -> None:
    rng = np.random.default_rng(0)
    draw = partial(photo_clip, draw_disc)
    clip = draw(RECIPE, rng)
    before = [image.copy() for image in clip.images]
    cut_away(clip, draw, RECIPE, rng)
    changed = [number for number in range(3) if not np.array_equal(before[number], clip.images[number])]
    assert len(changed) == 1
    assert 0 not in changed
    assert not any(mask.any() for mask in clip.masks[changed[0]])


def test_what_lies_behind_is_not_seen() -> None:
    back, front = np.ones((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    front[:2] = 1
    seen = visible_masks([back, front])
    assert seen[0].tolist() == (1 - front).tolist()
    assert seen[1].tolist() == front.tolist()


@pytest.mark.parametrize("length", [4, 25, 90])
def test_gaps_fit_into_the_video(length: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        frames = gapped(length, 4, 30, rng)
        assert len(set(frames)) == 4
        assert min(frames) >= 0
        assert max(frames) < length
        assert frames in (sorted(frames), sorted(frames, reverse=True))


def test_worn_masks_lie_near_the_object_most_of_the_time() -> None:
    mask = np.zeros((32, 48), np.uint8)
    mask[10:20, 10:30] = 255
    rng = np.random.default_rng(0)
    overlaps = [np.minimum(worn(mask, mask, mask[None], rng), mask).sum() / mask.sum() for _ in range(40)]
    assert np.median(overlaps) > 0.6


def test_photographs_that_are_measured_with_are_left_out() -> None:
    rng = np.random.default_rng(0)
    measured, other = draw_disc(rng), draw_disc(rng)
    twin = Photo("twin", (measured.image_rgb // 2 + 40).astype(np.uint8), measured.regions)
    assert [photo.name for photo in without_duplicates([twin, other], [measured])] == ["disc"]


def test_flow_carries_a_mask_along() -> None:
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (32, 48, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    images = [np.roll(texture, 4 * number, axis=1) for number in range(3)]
    mask = torch.zeros(32, 48)
    mask[10:20, 10:20] = 1
    moved = carry(mask, flow_over(images))
    assert float((moved[10:20, 12:22]).mean()) > 0.8


def test_calibration_error_is_zero_where_scores_are_true() -> None:
    assert calibration_error([0.25, 0.25, 0.95], [0.2, 0.3, 0.95]) == pytest.approx(0)
    assert calibration_error([0.9, 0.9], [0.4, 0.4]) == pytest.approx(0.5)


def test_a_sequence_is_followed_by_every_variant() -> None:
    memory = network()
    truth = np.zeros((64, 96), bool)
    truth[16:48, 16:48] = True
    seen = [
        ImageFeatures(torch.randn(1, 600, 18, 32), torch.randn(1, 40, 36, 64), torch.randn(1, 24, 72, 128))
        for _ in range(3)
    ]
    flows = [np.zeros((72, 128, 2), np.float32)] * 2
    for variant in (*VARIANTS, WITH_FLOW):
        followed = follow(memory, Prepared("made up", seen, [truth] * 3, flows), variant)
        assert len(followed.ious) == len(followed.presences) == 2


def test_the_memory_learns_from_one_batch() -> None:
    torch.manual_seed(0)
    memory, encoder = MemoryNetwork(), build_sam().image_encoder
    rng = np.random.default_rng(0)
    clips = [make_sample(partial(photo_clip, draw_disc), draw_disc, RECIPE, 2, rng) for _ in range(2)]
    batch = {name: torch.from_numpy(np.stack([clip[name] for clip in clips])) for name in clips[0]}
    optimizer = loop.make_optimizer(memory, torch.nn.Identity(), 2e-3, 1.0)
    losses = []
    for _ in range(8):
        loss = clip_loss(memory, encoder, batch, Remembering(taught=0.5, spoiled=0.5))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_what_goes_wrong_in_the_samples_is_heard_of() -> None:
    def broken() -> Iterator[dict[str, np.ndarray]]:
        yield {"image": np.zeros(1)}
        raise ValueError("no more")

    drawn = loop.batches(broken(), 1)
    next(drawn)
    with pytest.raises(ValueError, match="no more"):
        next(drawn)
