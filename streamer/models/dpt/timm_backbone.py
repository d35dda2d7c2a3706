"""Depth models of transformers that stand on one of timm's EfficientNets, as the bundled one does in its folder."""

from __future__ import annotations

from timm.models.efficientnet import EfficientNet, EfficientNetFeatures
from torch import nn

from streamer.models.tiny.backbone import fold_batch_norms


def trim_efficientnets(network: nn.Module) -> None:
    """Let every timm EfficientNet inside ``network``, and nothing else, compute only what its features need.

    In place: batch norms are folded, and the stages after the last one whose features are asked for, which timm
    computes all the same, are left out. The features stay the same within rounding.
    """
    for module in list(network.modules()):
        if isinstance(module, EfficientNetFeatures):
            last = max(feature["stage"] for feature in module.feature_info.get_dicts())
            module.blocks = nn.Sequential(*list(module.blocks)[:last])
        if isinstance(module, EfficientNet | EfficientNetFeatures):
            fold_batch_norms(module)
