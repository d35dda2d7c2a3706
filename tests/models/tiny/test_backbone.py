"""The backbone is timm's EfficientNet-Lite0: the same names, the same numbers."""

from __future__ import annotations

import timm
import torch
from torch import nn

from streamer.models.tiny.backbone import BACKBONE, EfficientNetLite0, fold_batch_norms


def random_statistics(network: nn.Module) -> None:
    for name, buffer in network.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand_like(buffer) + 0.5)


def test_it_computes_what_timms_does() -> None:
    torch.manual_seed(0)
    theirs = timm.create_model(BACKBONE, features_only=True, out_indices=(1, 2, 3, 4)).eval()
    random_statistics(theirs)
    ours = EfficientNetLite0().eval()
    ours.load_state_dict(theirs.state_dict())
    pixels = torch.rand(2, 3, 64, 96) * 2 - 1
    with torch.inference_mode():
        for mine, truth in zip(ours(pixels), theirs(pixels), strict=True):
            torch.testing.assert_close(mine, truth, rtol=0, atol=0)


def test_only_the_stages_that_are_needed_are_there() -> None:
    torch.manual_seed(0)
    whole, part = EfficientNetLite0().eval(), EfficientNetLite0((8, 16)).eval()
    assert len(part.blocks) == 5
    part.load_state_dict({name: value for name, value in whole.state_dict().items() if name in part.state_dict()})
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        _, stride8, stride16, _ = whole(pixels)
        assert all(torch.equal(a, b) for a, b in zip(part(pixels), (stride8, stride16), strict=True))


def test_folding_batch_norms_changes_nothing() -> None:
    torch.manual_seed(0)
    backbone = EfficientNetLite0().eval()
    random_statistics(backbone)
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = backbone(pixels)
        fold_batch_norms(backbone)
        after = backbone(pixels)
    assert not any("running_mean" in name for name, _ in backbone.named_buffers())
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(before, after, strict=True))
