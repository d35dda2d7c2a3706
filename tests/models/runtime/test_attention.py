from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_anything.modeling.image_encoder import ImageEncoderViT, window_partition, window_unpartition

from streamer.models.runtime import attention
from streamer.models.runtime.attention import FastImageEncoder, attend_fused, attend_in_pieces
from tests.small_models import small_encoder


def relative_error(answer: torch.Tensor, truth: torch.Tensor) -> float:
    return float((answer - truth).norm() / truth.norm())


SIZES = [
    pytest.param(128, 0, 2, id="global only"),
    pytest.param(128, 4, 4, id="windows that fit"),
    pytest.param(160, 4, 4, id="windows with padding"),
    pytest.param(112, 14, 3, id="one window larger than the grid"),
    pytest.param(224, 5, 2, id="larger grid"),
]


@pytest.mark.parametrize(("image_px", "window", "heads"), SIZES)
@pytest.mark.parametrize("rel_pos", [True, False])
@torch.inference_mode()
def test_float32_is_what_upstream_computes(image_px: int, window: int, heads: int, rel_pos: bool) -> None:
    encoder = small_encoder(image_px, window, heads, rel_pos)
    pixels = torch.randn(2, 3, image_px, image_px)
    truth = encoder(pixels)
    answer = FastImageEncoder(copy.deepcopy(encoder), torch.float32)(pixels)
    assert answer.shape == truth.shape
    assert answer.dtype == torch.float32
    assert relative_error(answer, truth) < 1e-5


@pytest.mark.parametrize(("image_px", "window", "heads"), SIZES[1:4])
@torch.inference_mode()
def test_bfloat16_is_close_and_no_worse_than_upstream_in_bfloat16(image_px: int, window: int, heads: int) -> None:
    encoder = small_encoder(image_px, window, heads)
    pixels = torch.randn(1, 3, image_px, image_px)
    truth = encoder(pixels)
    answer = FastImageEncoder(copy.deepcopy(encoder), torch.bfloat16)(pixels)
    plain = copy.deepcopy(encoder).bfloat16()(pixels.bfloat16()).float()
    assert answer.dtype == torch.float32
    assert relative_error(answer, truth) < 2e-2
    assert relative_error(answer, truth) < relative_error(plain, truth)


@torch.inference_mode()
def test_relative_positions_matter_in_these_tests() -> None:
    encoder = small_encoder()
    pixels = torch.randn(1, 3, 256, 256)
    without = copy.deepcopy(encoder)
    for name, parameter in without.named_parameters():
        if "rel_pos" in name:
            parameter.zero_()
    assert relative_error(without(pixels), encoder(pixels)) > 0.05


@torch.inference_mode()
def test_missing_absolute_positions_and_biases() -> None:
    torch.manual_seed(0)
    encoder = ImageEncoderViT(
        img_size=80, embed_dim=32, depth=2, num_heads=2, out_chans=8, use_abs_pos=False, qkv_bias=False, window_size=3
    ).eval()
    pixels = torch.randn(1, 3, 80, 80)
    truth = encoder(pixels)
    assert relative_error(FastImageEncoder(encoder, torch.float32)(pixels), truth) < 1e-5


@pytest.mark.parametrize("scores_at_once", [1, 1500, 1 << 22])
@torch.inference_mode()
def test_pieces_of_any_size_and_the_fused_form_agree(scores_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", scores_at_once)
    torch.manual_seed(0)
    rows, columns = 5, 7
    q, k, v = torch.randn(3, 2, 3, rows * columns, 11)
    by_row, by_column = torch.randn(2, 3, rows, columns, rows), torch.randn(2, 3, rows, columns, columns)
    bias = (by_row[..., :, None] + by_column[..., None, :]).flatten(4).flatten(2, 3)
    truth = (q @ k.transpose(-1, -2) + bias).softmax(-1) @ v
    assert relative_error(attend_in_pieces(q, k, v, by_row, by_column), truth) < 1e-6
    assert relative_error(attend_fused(q, k, v, by_row, by_column), truth) < 1e-6


@torch.inference_mode()
def test_pieces_keep_scores_in_float32_whatever_comes_in() -> None:
    torch.manual_seed(0)
    rows, columns = 6, 5
    q, k, v = torch.randn(3, 1, 2, rows * columns, 16).bfloat16()
    by_row, by_column = torch.randn(1, 2, rows, columns, rows), torch.randn(1, 2, rows, columns, columns)
    # Scores around 300, which bfloat16 would round to whole even numbers.
    low = [term.bfloat16() for term in (by_row + 150, by_column + 150)]
    exact = attend_in_pieces(q.float(), k.float(), v.float(), *(term.float() for term in low))
    answer = attend_in_pieces(q, k, v, *low)
    assert answer.dtype == torch.bfloat16
    assert relative_error(answer.float(), exact) < 1e-2


@pytest.mark.parametrize(
    ("dtype", "amx", "expected"),
    [(torch.float32, True, "pieces"), (torch.bfloat16, False, "pieces"), (torch.bfloat16, True, "fused")],
)
def test_further_dimensions_are_for_matrix_tiles(
    dtype: torch.dtype, amx: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    monkeypatch.setattr(attention, "has_amx", lambda: amx)
    for name, function in (("pieces", attend_in_pieces), ("fused", attend_fused)):
        spy = lambda *terms, name=name, function=function: used.append(name) or function(*terms)  # noqa: E731
        monkeypatch.setattr(attention, function.__name__, spy)
    FastImageEncoder(small_encoder(), dtype)(torch.randn(1, 3, 256, 256))
    assert set(used) == {expected}


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), side=st.integers(1, 8))
def test_windows_hold_the_tokens_that_upstream_puts_there(rows: int, columns: int, side: int) -> None:
    tokens = torch.arange(1, rows * columns + 1, dtype=torch.float32)
    places, back, padding = attention._window_indices((rows, columns), side)
    ours = tokens[places]
    if padding is not None:
        ours[padding] = 0
    theirs, padded = window_partition(tokens.view(1, rows, columns, 1), side)
    assert torch.equal(ours, theirs.flatten())
    restored = window_unpartition(theirs, side, padded, (rows, columns)).flatten()
    assert torch.equal(ours[back], restored)


def test_upstream_stays_as_it_is_for_everyone_else() -> None:
    before = ImageEncoderViT.forward
    encoder = small_encoder()
    pixels = torch.randn(1, 3, 256, 256)
    truth = encoder(pixels)
    FastImageEncoder(copy.deepcopy(encoder), torch.bfloat16)
    assert ImageEncoderViT.forward is before
    assert torch.equal(encoder(pixels), truth)
