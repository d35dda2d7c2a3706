"""The models as their READMEs use them: `SamPredictor` of segment-anything, and transformers' depth example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.models import registry


class UpstreamSam:
    """`SamPredictor`, float32.

    Args:
        model: tiny, vit_b, vit_l or vit_h, or the path of a checkpoint.
        checkpoint: Weights of that model in another place than the cache.
        device: auto, cpu, cuda, cuda:1, mps.

    Raises:
        ModelError: There is no such model, or its weights are missing or damaged.
    """

    def __init__(self, model: str, checkpoint: str | Path | None = None, device: str = "auto") -> None:
        from segment_anything import SamPredictor

        from streamer.models.runtime.devices import pick_device

        self._predictor = SamPredictor(registry.load_sam(model, checkpoint).to(pick_device(device)))

    def set_image(self, image_rgb: NDArray[np.uint8]) -> None:
        """Encode a ``(H, W, 3)`` uint8 RGB image."""
        self._predictor.set_image(image_rgb)

    @property
    def features(self) -> NDArray[np.float32]:
        """``(1, C, h, w)`` float32 embedding of the image."""
        features: NDArray[np.float32] = self._predictor.features.cpu().numpy()
        return features

    def predict(self, prompt: Prompt) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """One ``(H, W)`` mask of the image and its ``(h, w)`` low-resolution logits."""
        has_points = len(prompt.point_coords) > 0
        masks, _, logits = self._predictor.predict(
            point_coords=prompt.point_coords if has_points else None,
            point_labels=prompt.point_labels if has_points else None,
            box=prompt.box,
            multimask_output=False,
        )
        return masks[0], logits[0]

    def segment(self, image_rgb: NDArray[np.uint8], prompts: Sequence[Prompt]) -> list[NDArray[np.bool_]]:
        """The ``(H, W)`` mask of every prompt, one after the other."""
        self.set_image(image_rgb)
        return [self.predict(prompt)[0] for prompt in prompts]


class UpstreamDepth:
    """The example of transformers' documentation, float32.

    Args:
        model: tiny, a Hugging Face name that is in the cache, or a folder.
        device: auto, cpu, cuda, cuda:1, mps.
    """

    def __init__(self, model: str | Path, device: str = "auto") -> None:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation

        from streamer.models.runtime.devices import pick_device
        from streamer.models.tiny import weights as tiny

        source = tiny.dpt_folder() if model == registry.TINY else model
        self._device = pick_device(device)
        self._processor = AutoImageProcessor.from_pretrained(source, local_files_only=True)
        network = AutoModelForDepthEstimation.from_pretrained(source, local_files_only=True)
        self._network = network.to(self._device)

    def estimate(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(H, W)`` float32 relative inverse depth of a ``(H, W, 3)`` uint8 RGB image."""
        import torch
        from PIL import Image

        image = Image.fromarray(image_rgb)
        with torch.no_grad():
            outputs = self._network(**self._processor(images=image, return_tensors="pt").to(self._device))
        target = [(image.height, image.width)]
        maps = self._processor.post_process_depth_estimation(outputs, target_sizes=target)
        depth: NDArray[np.float32] = maps[0]["predicted_depth"].cpu().numpy()
        return depth
