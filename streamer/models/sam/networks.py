"""Upstream's networks, and its functions around automatic masks, without the rest of its package.

``import segment_anything.modeling`` runs ``segment_anything/__init__.py``, which takes torchvision and with it
``torch._dynamo``: most of the time that a start takes, and 200 MB, for what only its predictor needs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any

_PACKAGE = "segment_anything"


def _parts(*names: str) -> list[Any]:
    """Modules of the package, imported while an empty one stands for the whole."""
    spec = None if _PACKAGE in sys.modules else find_spec(_PACKAGE)
    if spec is not None:
        sys.modules[_PACKAGE] = module_from_spec(spec)  # its code has not been run
    try:
        return [import_module(f"{_PACKAGE}.{name}") for name in names]
    finally:
        if spec is not None:
            del sys.modules[_PACKAGE]  # who wants the whole may import it


_modeling, amg = _parts("modeling", "utils.amg")
ImageEncoderViT = _modeling.ImageEncoderViT
MaskDecoder = _modeling.MaskDecoder
PromptEncoder = _modeling.PromptEncoder
Sam = _modeling.Sam
TwoWayTransformer = _modeling.TwoWayTransformer
LayerNorm2d = _modeling.common.LayerNorm2d
get_rel_pos = _modeling.image_encoder.get_rel_pos
