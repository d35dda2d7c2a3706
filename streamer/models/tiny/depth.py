"""The tiny DPT as a :class:`streamer.models.protocols.DepthEstimator`: numpy in, numpy out."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from streamer.data.depth_unit import DepthUnit
from streamer.models.runtime.compiling import compiled
from streamer.models.runtime.devices import pick_precision
from streamer.models.runtime.openvino import TORCH, Convertible, accelerated
from streamer.models.tiny.dpt import IMAGE_SIZE_PX, PIXEL_MEAN, PIXEL_STD, TinyDpt


class TinyDepth:
    """Relative inverse depth by the tiny DPT.

    Args:
        dpt: The network. It is taken over: moved to the device.
        name: What to call it.
        device: Where it runs.
        precision: Number format of the network.
        compile: Let ``torch.compile`` generate code for it at its first use.
        runtime: What computes it: ``torch``, ``openvino`` or ``auto``; see
            :func:`streamer.models.runtime.openvino.accelerated`.
    """

    unit = DepthUnit.RELATIVE
    fov_deg = None

    def __init__(
        self,
        dpt: TinyDpt,
        name: str,
        device: torch.device,
        precision: str = "auto",
        compile: bool = False,
        runtime: str = TORCH,
    ) -> None:
        self.name = name
        self._device, self._dtype = device, pick_precision(precision, device)
        shape = (1, 3, IMAGE_SIZE_PX, IMAGE_SIZE_PX)
        convertible = Convertible(f"{name}-depth", dpt, (shape,), (torch.zeros(shape),))
        self._faster = accelerated(convertible, self._dtype, device, runtime, compile)
        self._is_slow_at_first = compile or device.type == "cuda"
        if self._faster is None:
            network = dpt.to(device, self._dtype, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
            self._network = compiled(network, name, device) if compile else network

    def warm_up(self) -> None:
        """Do now what would make the first frame slow, where there is such a thing."""
        if self._is_slow_at_first:
            self.estimate(np.zeros((IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3), np.uint8))

    @torch.inference_mode()
    def estimate(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(H, W)`` float32 inverse depth (larger is nearer) of a ``(H, W, 3)`` uint8 RGB image.

        Bicubic to the frame, as DPT documents; OpenCV's kernel is the one of ``torch.nn.functional.interpolate``.
        """
        height, width = image_rgb.shape[:2]
        square = to_pixels(torch.from_numpy(np.ascontiguousarray(image_rgb)).permute(2, 0, 1).to(self._device))
        return cv2.resize(self._predict(square), (width, height), interpolation=cv2.INTER_CUBIC)

    def _predict(self, square: Tensor) -> NDArray[np.float32]:
        if self._faster is not None:
            return self._faster(square)[0][0].numpy()
        square = square.to(self._dtype, memory_format=torch.channels_last)
        predicted: NDArray[np.float32] = self._network(square)[0].float().cpu().numpy()
        return predicted


def to_pixels(image: Tensor) -> Tensor:
    """``(1, 3, 256, 256)`` float32 of ``(3, H, W)`` uint8: what transformers' processor makes of an image.

    Squeezed into a square by an antialiased bicubic, which is done in bytes where the device can.
    """
    side = (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    image = image[None]
    if image.shape[-2:] != side:
        on_cpu = image.device.type == "cpu"
        small = functional.interpolate(image if on_cpu else image.float(), side, mode="bicubic", antialias=True)
        image = small if on_cpu else small.clamp(0, 255).round()
    return image.float().sub_(255 * PIXEL_MEAN).div_(255 * PIXEL_STD)
