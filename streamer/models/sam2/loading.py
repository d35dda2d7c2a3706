"""Promptable models of transformers by the kind that their config names."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import transformers
from transformers import AutoImageProcessor
from transformers.models.edgetam_video import modeling_edgetam_video
from transformers.models.sam2_video import modeling_sam2_video
from transformers.models.sam3_tracker_video import modeling_sam3_tracker_video

from streamer.errors import ModelError
from streamer.models.parameters import SegmenterParameters
from streamer.models.runtime.compiling import compiled
from streamer.models.runtime.devices import pick_precision
from streamer.models.sam2.networks import Sam2Network, SamHqNetwork
from streamer.models.sam2.precision import EncoderIn
from streamer.models.sam2.segmenter import PromptableSegmenter
from streamer.models.video.segmenter import VideoSegmenter
from streamer.models.weights import pretrained

WHAT = "a segmenter"

# The class that has the memory of video wherever the weights have it: it does for single images as well.
_CLASSES = {
    "sam2": "Sam2Model",
    "sam2_video": "Sam2VideoModel",
    "edgetam": "EdgeTamModel",
    "edgetam_video": "EdgeTamVideoModel",
    "sam3_tracker": "Sam3TrackerModel",
    "sam3_tracker_video": "Sam3TrackerVideoModel",
    "sam3_video": "Sam3TrackerVideoModel",  # facebook/sam3: the tracker is a part of it
    "sam_hq": "SamHQModel",
}
_SESSIONS = {
    "Sam2VideoModel": (modeling_sam2_video.Sam2VideoInferenceSession, "sam2"),
    "EdgeTamVideoModel": (modeling_edgetam_video.EdgeTamVideoInferenceSession, "edgetam"),
    "Sam3TrackerVideoModel": (modeling_sam3_tracker_video.Sam3TrackerVideoInferenceSession, "sam3"),
}
"""Of the classes that have a memory: their sessions, and the name of the `tracking.method`."""


def load(parameters: SegmenterParameters, device: torch.device) -> PromptableSegmenter:
    """A segmenter by its name on Hugging Face, from the cache, or by its folder.

    Raises:
        ModelError: It is not there, is damaged, or is no segmenter.
    """
    source = str(parameters.checkpoint or parameters.model)
    config = pretrained.config_of(source, WHAT)
    if config.model_type not in _CLASSES:
        known = ", ".join(sorted(_CLASSES))
        raise ModelError(f"{source} is a model of type {config.model_type}, not {WHAT}: choose one of {known}.")
    model = pretrained.from_folder(getattr(transformers, _CLASSES[config.model_type]), source, WHAT)
    processor = pretrained.told(lambda: AutoImageProcessor.from_pretrained(source, local_files_only=True), source, WHAT)
    return _segmenter(model, processor, parameters, device)


def wrap_sam2(model: Any, parameters: SegmenterParameters, device: torch.device) -> PromptableSegmenter:
    """A ``Sam2VideoModel`` from SAM 2's own file as a segmenter."""
    side_px = int(model.config.image_size)
    processor = transformers.Sam2ImageProcessor(size={"height": side_px, "width": side_px})
    return _segmenter(model, processor, parameters, device)


def _segmenter(
    model: Any, processor: Any, parameters: SegmenterParameters, device: torch.device
) -> PromptableSegmenter:
    name = parameters.model
    faster = partial(compiled, name=name, device=device) if parameters.compile else None
    model = model.to(device)
    model.vision_encoder = EncoderIn(model.vision_encoder, pick_precision(parameters.precision, device), faster)
    sessions = _SESSIONS.get(type(model).__name__)
    segmenter: PromptableSegmenter
    if sessions is not None:
        segmenter = VideoSegmenter(Sam2Network(model), processor, name, device, *sessions)
    else:
        network = SamHqNetwork(model) if isinstance(model, transformers.SamHQModel) else Sam2Network(model)
        segmenter = PromptableSegmenter(network, processor, name, device)
    segmenter.warm_up()
    return segmenter
