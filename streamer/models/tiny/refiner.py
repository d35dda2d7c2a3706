"""The network that mends a mask on every frame on which nothing slower looks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.protocols import REFINER_PLANES, REFINER_SIDE_PX
from streamer.models.runtime.openvino import Convertible, accelerated

_PATCH = 2
_MASK_GAIN = 2.0


class RefinerNetwork(nn.Module):
    """From a crop of what was carried, and of what is seen, to the mask that is there: a small U-Net.

    Its blocks are ConvNeXt's without the norm (Liu et al., CVPR 2022); it starts by answering what was carried.

    Args:
        channels: At strides 2, 4, 8, ...
        depths: Blocks on the way down, at each.
        kernel: Of the depthwise convolutions.
    """

    def __init__(
        self, channels: Sequence[int] = (20, 40, 64), depths: Sequence[int] = (1, 2, 3), kernel: int = 3
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(REFINER_PLANES * _PATCH**2, channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            nn.Sequential(*(_Block(width, kernel) for _ in range(depth)))
            for width, depth in zip(channels, depths, strict=True)
        )
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(channels))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(channels))
        self.up_blocks = nn.ModuleList(_Block(width, kernel) for width in channels[:-1])
        self.head = nn.Conv2d(channels[0], 2 * _PATCH**2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)
        self.worth = nn.Linear(2 * channels[-1], 1)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, 11, S, S)`` float32 from -1 to 1 -> ``(N, S, S)`` logits, and ``(N,)`` logits of their IoU.

        S is a multiple of 8.
        """
        hidden, skipped = self.stem(functional.pixel_unshuffle(planes, _PATCH)), []
        for level, blocks in enumerate(self.down_blocks):
            hidden = blocks(hidden)
            if level < len(self.down):
                skipped.append(hidden)
                hidden = self.down[level](hidden)
        worth = self.worth(torch.cat([hidden.mean((2, 3)), hidden.amax((2, 3))], 1))[:, 0]
        for up, block, skip in zip(reversed(self.up), reversed(self.up_blocks), reversed(skipped), strict=True):
            hidden = block(skip + functional.interpolate(up(hidden), scale_factor=2.0))
        offset, gain = functional.pixel_shuffle(self.head(hidden), _PATCH).split(1, dim=1)
        masks = planes[:, :1] + planes[:, 1:2]
        return (_MASK_GAIN * masks * (1 + gain) + 4 * offset)[:, 0], worth


class TinyRefiner:
    """The bundled :class:`Refiner`.

    Args:
        network: In evaluation mode.
        device: Where it runs.
        runtime: What it runs through.

    Attributes:
        side_px: Of the crops.
    """

    side_px = REFINER_SIDE_PX

    def __init__(self, network: RefinerNetwork, device: torch.device, runtime: str = "torch") -> None:
        shape = REFINER_PLANES, self.side_px, self.side_px
        convertible = Convertible("tiny-refiner", network, ((-1, *shape),), (torch.zeros(2, *shape),))
        faster = accelerated(convertible, torch.float32, device, runtime)
        self._network, self._device = faster or network.to(device), device

    @torch.inference_mode()
    def __call__(self, planes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """``(N, S, S)`` uint8 and ``(N,)`` of ``(N, S, S, 11)`` uint8; see the protocol."""
        seen = torch.from_numpy(planes).to(self._device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        logits, worth = self._network(seen)
        masks: NDArray[np.uint8] = logits.sigmoid_().mul_(255).round_().to("cpu", torch.uint8).numpy()
        ious: NDArray[np.float32] = worth.sigmoid_().cpu().numpy()
        return masks, ious


class _Block(nn.Module):
    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.wide = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(2 * width, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        mixed: Tensor = self.narrow(functional.relu(self.wide(self.around(hidden))))
        return hidden + mixed
