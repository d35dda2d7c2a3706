"""Promptable models of transformers by the kind that their config names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import transformers
from transformers import AutoImageProcessor

from streamer.errors import ModelError
from streamer.models.parameters import SegmenterParameters
from streamer.models.runtime.compiling import compiled
from streamer.models.runtime.devices import pick_precision
from streamer.models.sam2.networks import PromptableNetwork, Sam2Network, SamHqNetwork
from streamer.models.sam2.precision import EncoderIn
from streamer.models.sam2.segmenter import PromptableSegmenter
from streamer.models.weights import pretrained

WHAT = "a segmenter"

# The class that has the memory of video wherever the weights have it: it does for single images as well.
_KINDS: dict[str, tuple[str, Callable[[Any], PromptableNetwork]]] = {
    "sam2": ("Sam2Model", Sam2Network),
    "sam2_video": ("Sam2VideoModel", Sam2Network),
    "edgetam": ("EdgeTamModel", Sam2Network),
    "edgetam_video": ("EdgeTamVideoModel", Sam2Network),
    "sam3_tracker": ("Sam3TrackerModel", Sam2Network),
    "sam3_tracker_video": ("Sam3TrackerVideoModel", Sam2Network),
    "sam3_video": ("Sam3TrackerVideoModel", Sam2Network),  # facebook/sam3: the tracker is a part of it
    "sam_hq": ("SamHQModel", SamHqNetwork),
}


def load(parameters: SegmenterParameters, device: torch.device) -> PromptableSegmenter:
    """A segmenter by its name on Hugging Face, from the cache, or by its folder.

    Raises:
        ModelError: It is not there, is damaged, or is no segmenter.
    """
    source = str(parameters.checkpoint or parameters.model)
    config = pretrained.config_of(source, WHAT)
    if config.model_type not in _KINDS:
        known = ", ".join(sorted(_KINDS))
        raise ModelError(f"{source} is a model of type {config.model_type}, not {WHAT}: choose one of {known}.")
    kind, network_of = _KINDS[config.model_type]
    model = pretrained.from_folder(getattr(transformers, kind), source, WHAT)
    processor = pretrained.told(lambda: AutoImageProcessor.from_pretrained(source, local_files_only=True), source, WHAT)
    return _segmenter(model, network_of, processor, parameters, device)


def wrap_sam2(model: Any, parameters: SegmenterParameters, device: torch.device) -> PromptableSegmenter:
    """A ``Sam2VideoModel`` from SAM 2's own file as a segmenter."""
    side_px = int(model.config.image_size)
    processor = transformers.Sam2ImageProcessor(size={"height": side_px, "width": side_px})
    return _segmenter(model, Sam2Network, processor, parameters, device)


def _segmenter(
    model: Any,
    network_of: Callable[[Any], PromptableNetwork],
    processor: Any,
    parameters: SegmenterParameters,
    device: torch.device,
) -> PromptableSegmenter:
    name = parameters.model
    faster = partial(compiled, name=name, device=device) if parameters.compile else None
    model = model.to(device)
    model.vision_encoder = EncoderIn(model.vision_encoder, pick_precision(parameters.precision, device), faster)
    segmenter = PromptableSegmenter(network_of(model), processor, name, device)
    segmenter.warm_up()
    return segmenter
