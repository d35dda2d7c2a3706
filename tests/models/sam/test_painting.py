"""Prompts drawn as maps."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from streamer.models.sam.painting import PaintingPromptEncoder

SIDE, LOW = 64, 16


def encoder():
    torch.manual_seed(0)
    return PaintingPromptEncoder(
        embed_dim=32, image_embedding_size=(4, 4), input_image_size=(SIDE, SIDE), mask_in_chans=4
    ).eval()


def painted(points, kinds, size=(4, 4)):
    points = torch.tensor([points], dtype=torch.float32).reshape(1, -1, 2)
    return encoder().paint(points, torch.tensor([kinds]), size)[0]


def test_a_click_is_brightest_in_its_cell_and_on_its_own_map():
    background, foreground, *box = painted([[10, 30]], [1])
    assert divmod(int(foreground.argmax()), LOW) == (7, 2)
    assert not background.any()
    assert not any(part.any() for part in box)


def test_nothing_is_painted_for_points_that_are_none():
    assert not painted([[10, 30], [0, 0]], [-1, 4]).any()
    assert not painted([], []).any()


@given(st.tuples(*[st.integers(0, SIDE)] * 4))
def test_the_map_of_a_box_has_its_area(corners):
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    covered = painted([[x0, y0], [x1, y1]], [2, 3])[2]
    assert abs(16 * float(covered.sum()) - (x1 - x0) * (y1 - y0)) < 1e-2


def test_closeness_falls_from_the_middle_of_a_box_to_its_sides_and_beyond():
    _, _, _, to_sides, to_center = painted([[16, 16], [48, 48]], [2, 3])
    for closeness in (to_sides, to_center):
        row = closeness[8, 8:]
        assert (row.diff() <= 0).all()
        assert row[0] > 0.8
        assert row[-1] < 0


def test_a_part_of_the_square_is_painted_like_the_whole():
    points, kinds = [[16, 8], [48, 24], [30, 20]], [2, 3, 1]
    assert torch.equal(painted(points, kinds, (2, 3)), painted(points, kinds)[:, :8, :12])


@torch.inference_mode()
def test_the_dense_embedding_says_what_was_asked_and_the_sparse_one_stays_upstreams():
    model = encoder()
    points, labels = torch.tensor([[[10.0, 20.0]]]), torch.ones(1, 1)
    sparse, dense = model(points=(points, labels), boxes=None, masks=None)
    assert sparse.shape == (1, 2, 32)
    assert dense.shape == (1, 32, 4, 4)
    placed = model.embed_painting(points + 0.5, labels)
    assert torch.allclose(dense, placed + model.no_mask_embed.weight[..., None, None])
    _, other = model(points=None, boxes=torch.tensor([[4.0, 4.0, 30.0, 30.0]]), masks=None)
    assert not torch.allclose(dense, other)
