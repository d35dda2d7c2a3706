"""Monocular depth: DPT (Ranftl et al., ICCV 2021) and what else transformers calls a depth estimator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForDepthEstimation, DPTForDepthEstimation

from streamer.data.depth_unit import DepthUnit
from streamer.models.runtime.compiling import compiled
from streamer.models.runtime.devices import pick_precision
from streamer.models.weights import pretrained

METRIC_MODELS = ("zoedepth", "glpn", "depth_pro")
_OWN_POST_PROCESSING = {"zoedepth": "source_sizes", "depth_pro": "target_sizes"}
"""Models whose answer means nothing before their own post-processing (padding, field of view), and how that is told
the size of the frame."""
NEAREST_M = 1e-2
FOV_MEMORY = 0.9
"""Of the field of view of before at each image: a lens does not change, and its estimate does by some degrees."""
WHAT = "a depth model"
MAY_LACK = 0.1
"""Share of a depth model's tensors that its weights may lack: Intel's lack a layer that is never used."""


class DptEstimator:
    """A depth model by name or folder as a `DepthEstimator`.

    Args:
        model: A Hugging Face name (``Intel/dpt-large``) or a folder with config, processor settings and weights.
        device: Where it runs.
        precision: Number format of the model.
        compile: Let ``torch.compile`` generate code for it at its first use.
        name: What to call it, if not by ``model``.

    Attributes:
        fov_deg: Horizontal field of view that the model sees in the images, a slow mean [degrees]; None before
            the first one, and where the model estimates none.

    Raises:
        ModelError: The model is not there and cannot be downloaded, or it is no depth model.
    """

    def __init__(
        self,
        model: str | Path,
        device: torch.device,
        precision: str = "auto",
        compile: bool = False,
        name: str | None = None,
    ) -> None:
        self.name = name or str(model)
        self._device = device
        self._dtype = pick_precision(precision, device)
        self._processor, network = _load(model)
        self.unit = _unit_of(network.config)
        self.fov_deg: float | None = None
        self._own_post_processing = _OWN_POST_PROCESSING.get(network.config.model_type)
        _trim_backbone(network)
        network = network.to(device, self._dtype, memory_format=torch.channels_last).eval().requires_grad_(False)
        self._network = compiled(network, self.name, device) if compile else network
        self._is_slow_at_first = compile or device.type == "cuda"

    def warm_up(self) -> None:
        """Do now what would make the first frame slow, where there is such a thing."""
        if self._is_slow_at_first:
            self.estimate(np.zeros((384, 384, 3), np.uint8))

    @torch.inference_mode()
    def estimate(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(H, W)`` float32 inverse depth (larger is nearer) of a ``(H, W, 3)`` uint8 RGB image.

        Metric models answer in meters; their maps are inverted, so that they are exact 1/m here.
        """
        height, width = image_rgb.shape[:2]
        pixels = torch.from_numpy(np.ascontiguousarray(image_rgb)).permute(2, 0, 1)
        inputs = self._processor(images=pixels, device=self._device, return_tensors="pt")["pixel_values"]
        outputs = self._network(inputs.to(self._device, self._dtype, memory_format=torch.channels_last))
        depth = self._to_frame(outputs, (width, height))
        return np.reciprocal(np.maximum(depth, np.float32(NEAREST_M))) if self.unit is DepthUnit.METERS else depth

    def _to_frame(self, outputs: Any, size: tuple[int, int]) -> NDArray[np.float32]:
        """Bicubic to the frame, as DPT documents; OpenCV's kernel is the one of ``torch.nn.functional.interpolate``."""
        if self._own_post_processing is not None:
            outputs.predicted_depth = outputs.predicted_depth.float()
            if getattr(outputs, "field_of_view", None) is not None:
                outputs.field_of_view = outputs.field_of_view.float()
            sizes = {self._own_post_processing: [(size[1], size[0])]}
            answer = self._processor.post_process_depth_estimation(outputs, **sizes)[0]
            self._see_fov(answer.get("field_of_view"))
            depth: Tensor = answer["predicted_depth"]
            return depth.cpu().numpy()
        predicted: NDArray[np.float32] = outputs.predicted_depth[0].float().cpu().numpy()
        return cv2.resize(predicted, size, interpolation=cv2.INTER_CUBIC)

    def _see_fov(self, fov_deg: Tensor | None) -> None:
        if fov_deg is not None:
            seen = float(fov_deg)
            self.fov_deg = seen if self.fov_deg is None else FOV_MEMORY * self.fov_deg + (1 - FOV_MEMORY) * seen


def _unit_of(config: Any) -> DepthUnit:
    metric = getattr(config, "depth_estimation_type", None) == "metric" or config.model_type in METRIC_MODELS
    return DepthUnit.METERS if metric else DepthUnit.RELATIVE


def _trim_backbone(network: Any) -> None:
    """Let a timm backbone run without what its features do not need: the same within rounding, in less time."""
    backbone = getattr(network.config, "backbone_config", None)
    if getattr(backbone, "model_type", None) == "timm_backbone":
        from streamer.models.dpt.timm_backbone import trim_efficientnets  # not above: others need no timm

        trim_efficientnets(network)


def _load(model: str | Path) -> tuple[Any, Any]:
    """The image processor and the network, from a folder or the Hugging Face cache; nothing is downloaded."""
    config = pretrained.config_of(model, WHAT)
    kind = DPTForDepthEstimation if config.model_type == "dpt" else AutoModelForDepthEstimation
    network = pretrained.from_folder(kind, model, WHAT, may_lack=MAY_LACK, config=config)
    processor = pretrained.told(lambda: AutoImageProcessor.from_pretrained(model, local_files_only=True), model, WHAT)
    return processor, network
