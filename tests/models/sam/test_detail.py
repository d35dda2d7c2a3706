"""The mask decoder that sees finer maps."""

import pytest
import torch
from segment_anything.modeling import MaskDecoder, TwoWayTransformer

from streamer.models.sam.detail import DetailMaskDecoder, pack
from streamer.models.sam.two_way import MaskHead

WIDTH = 32


def decoder(kind=DetailMaskDecoder):
    torch.manual_seed(0)
    transformer = TwoWayTransformer(depth=1, embedding_dim=WIDTH, mlp_dim=16, num_heads=2)
    return kind(transformer_dim=WIDTH, transformer=transformer).eval()


def maps(batch=1, rows=3, columns=5):
    sizes = (WIDTH, rows, columns), (WIDTH // 4, 2 * rows, 2 * columns), (WIDTH // 8, 4 * rows, 4 * columns)
    return [torch.randn(batch, *size) for size in sizes]


def asked(count, rows=3, columns=5):
    return torch.randn(1, WIDTH, rows, columns), torch.randn(count, 2, WIDTH), torch.randn(count, WIDTH, rows, columns)


def test_what_was_packed_comes_apart_again():
    image, stride8, stride4 = maps(batch=2)
    packed = torch.cat([image, pack(stride8, stride4)], dim=1)
    assert packed.shape == (2, 4 * WIDTH, 3, 5)
    for whole, part in zip(decoder().split(packed), (image, stride8, stride4), strict=True):
        assert torch.equal(whole, part)


@torch.inference_mode()
def test_without_detail_it_is_upstreams_decoder():
    image, stride8, stride4 = maps()
    packed = torch.cat([image, pack(torch.zeros_like(stride8), torch.zeros_like(stride4))], dim=1)
    place, sparse, dense = asked(3)
    ours = decoder()(packed, place, sparse, dense, multimask_output=True)
    theirs = decoder(MaskDecoder)(image, place, sparse, dense, multimask_output=True)
    for mine, upstreams in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, upstreams)


@torch.inference_mode()
def test_detail_changes_the_masks_where_it_is_and_not_the_predicted_quality():
    image, stride8, stride4 = maps()
    place, sparse, dense = asked(2)
    before = decoder()(torch.cat([image, pack(stride8, stride4)], dim=1), place, sparse, dense, True)
    stride4[..., 5, 7] += 10
    after = decoder()(torch.cat([image, pack(stride8, stride4)], dim=1), place, sparse, dense, True)
    changed = (before[0] != after[0]).any(dim=(0, 1))
    assert changed[5, 7]
    assert changed.sum() == 1
    assert torch.equal(before[1], after[1])


@pytest.mark.parametrize("size", [(3, 5), (4, 4)])
@torch.inference_mode()
def test_the_quick_mask_head_adds_the_same_detail(size):
    model = decoder()
    _, stride8, stride4 = maps(1, *size)
    images = torch.randn(3, WIDTH, *size)
    kernels = torch.randn(3, 2, WIDTH // 8)
    wanted = torch.einsum("nkc,nchw->nkhw", kernels, model.upscale(images, stride8, stride4))
    quick = MaskHead(model.output_upscaling)(images.flatten(2).transpose(1, 2), kernels, size, (stride8, stride4))
    torch.testing.assert_close(quick, wanted, rtol=1e-4, atol=1e-4)
