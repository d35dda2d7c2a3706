"""The bundled detector: about two thousand words, with nothing to download."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from streamer.data.detection import Box, Detection
from streamer.models.detectors.colors import share_of_color
from streamer.models.detectors.vocabulary import Meaning, meaning_of, place_of
from streamer.models.tiny.words import SIDE_PX, STRIDE_PX, Seen, TinyWords

MULTIPLE_PX = 32
MEAN, STD = 127.0, 128.0
"""What EfficientNet-Lite0 was trained with."""
MAX_CELLS = 300
"""Surest cells of a phrase that are looked at."""
SAME_BOX = 0.5
"""IoU from which two boxes are of one thing."""
BELOW_BEST = 1.5
"""Logits below the surest thing of a phrase, from which another one is more likely a mistake: of 4, 2, 1.5, 1 and 0.7
this kept the things (share of boxes with an IoU of a half on 48 photographs .317, .311, .305, .287, .268) and lost the
mistakes (IoU of the unions of boxes .210, .224, .228, .241, .235)."""
INSIDE = 0.8
"""Share of a box inside of another one, from which one of them is a part of the other, or their sum."""
LEAST_WORTH = 0.6
"""Of the worthiest thing of a phrase, what another one is worth at least: how sure its cell is of its name and its box.
On 48 photographs this and the rule above, both ways, brought the IoU of the unions of masks from .295 to .312, and the
share of pairs whose best mask has an IoU of a half from .512 to .506."""
MIN_COLOR = 0.3
"""Share of a thing that must have its color: a red ball has highlights, shadows and a background in its corners."""


class WordsDetector:
    """Finds what a word of the vocabulary names, with the surest cells of the network voting for boxes.

    Args:
        words: The network. It is taken over: moved to the device.
        device: Where it runs.
        min_score: Below which a detection does not count, 0 to 1; a half, or less than it, leaves it at a half.
    """

    name = "tiny"

    def __init__(self, words: TinyWords, device: torch.device, min_score: float | None = None) -> None:
        self._words, self._device = words.to(device).eval().requires_grad_(False), device
        self._min_score = min_score or 0.0

    @torch.inference_mode()
    def detect(self, image_rgb: NDArray[np.uint8], phrases: Sequence[str]) -> list[Detection]:
        """See :class:`streamer.models.protocols.Detector`.

        A score of 0.5 is where about one of six photographs without the thing would be taken to show it.

        Raises:
            PromptError: A phrase is not known.
        """
        meanings = [meaning_of(phrase) for phrase in phrases]
        pixels, scale = to_pixels(image_rgb)
        seen = self._words(pixels.to(self._device))
        found = [
            detection
            for phrase, meaning in zip(phrases, meanings, strict=True)
            for detection in self._find(phrase, meaning, seen, image_rgb, scale)
        ]
        return sorted(found, key=lambda detection: -detection.score)

    def _find(
        self, phrase: str, meaning: Meaning, seen: Seen, image_rgb: NDArray[np.uint8], scale: float
    ) -> list[Detection]:
        margins = self.margins(meaning, seen)
        found = []
        for box, point, score in zip(*boxes_of(margins, seen.sides[0].cpu(), seen.trust[0].cpu()), strict=True):
            corners = _on_image(box / scale, image_rgb)
            if score < self._min_score:
                break
            if meaning.color and share_of_color(image_rgb, corners, meaning.color) < MIN_COLOR:
                continue
            x, y = (point / scale).tolist()
            height, width = image_rgb.shape[:2]
            on_it = min(x, width - 1.0), min(y, height - 1.0)
            found.append(Detection(phrase, float(score), corners, point=on_it))
        return found

    def margins(self, meaning: Meaning, seen: Seen) -> Tensor:
        """``(h, w)``: by how much each cell is above what is needed to be called so [logit]."""
        levels = []
        if meaning.coco:
            places = list(meaning.coco)
            levels.append((seen.coco[0, places] - self._words.coco_thresholds[places, None, None]).amax(0))
        if meaning.imagenet:
            logs = seen.imagenet.log_softmax(1)[:, list(meaning.imagenet)].logsumexp(1, keepdim=True)
            logs = functional.interpolate(logs, seen.coco.shape[-2:], mode="bilinear", align_corners=False)[0, 0]
            levels.append(logs - self._words.word_thresholds[place_of(meaning)])
        return torch.stack(levels).amax(0).cpu()


def boxes_of(margins: Tensor, sides: Tensor, trust: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``(N, 4)`` boxes, ``(N, 2)`` points in them [px of the input], and ``(N,)`` scores, the surest first.

    Each thing is there once. Its box is the mean of those that its cells vote for, the point the mean of the middles
    of these cells, by how sure of its name and how near to its true box they are.

    Args:
        margins: ``(h, w)`` logits; above 0 a cell shows the thing.
        sides: ``(4, h, w)`` what each cell says of the box around it [px].
        trust: ``(h, w)`` logits of the IoU that is expected of this box.
    """
    rows, columns = (margins > max(0.0, float(margins.max()) - BELOW_BEST)).nonzero(as_tuple=True)
    scores, worth = margins[rows, columns].sigmoid(), (margins.sigmoid() * trust.sigmoid())[rows, columns]
    order = worth.argsort(descending=True)[:MAX_CELLS]
    scores, worth, rows, columns = scores[order], worth[order], rows[order], columns[order]
    middles = STRIDE_PX * torch.stack([columns + 0.5, rows + 0.5], dim=1)
    left_top, right_bottom = sides[:, rows, columns].T.split(2, dim=1)
    votes = torch.cat([middles - left_top, middles + right_bottom], dim=1)
    found, open_ = [], torch.ones(len(votes), dtype=torch.bool)
    overlaps, within = _overlaps(votes)
    while open_.any():
        best = int(open_.nonzero()[0])
        if worth[best] < LEAST_WORTH * worth[0]:
            break
        same = open_ & (overlaps[best] > SAME_BOX)
        weights = (worth[same, None] / worth[best]) ** 2
        mean = (torch.cat([votes[same], middles[same]], dim=1) * weights).sum(0) / weights.sum()
        found.append(torch.cat([mean, scores[same].amax(0, keepdim=True)]))
        open_ &= ~(same | (within[best] > INSIDE) | (within[:, best] > INSIDE))
        open_[best] = False
    things = torch.stack(found) if found else torch.empty(0, 7)
    things = things[things[:, 6].argsort(descending=True)]
    return things[:, :4], things[:, 4:6], things[:, 6]


def _overlaps(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """``(N, N)``: the IoU of boxes i and j, and which share of box j lies inside of box i."""
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    areas = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3).prod(1)
    return shared / (areas[:, None] + areas - shared), shared / areas


def _on_image(box: Tensor, image_rgb: NDArray[np.uint8]) -> Box:
    """The part of a box that lies on the image, at least a pixel of it."""
    height, width = image_rgb.shape[:2]
    x0, y0, x1, y1 = box.tolist()
    x0, y0 = min(max(x0, 0.0), width - 1.0), min(max(y0, 0.0), height - 1.0)
    return x0, y0, min(max(x1, x0 + 1), float(width)), min(max(y1, y0 + 1), float(height))


def to_pixels(image_rgb: NDArray[np.uint8], side_px: int = SIDE_PX) -> tuple[Tensor, float]:
    """``(1, 3, H, W)`` normalized pixels of a ``(H, W, 3)`` uint8 RGB image, padded, and how much larger it became."""
    height, width = image_rgb.shape[:2]
    scale = side_px / max(height, width)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image_rgb, (columns, rows), interpolation=way)
    padded = np.full((-(-rows // MULTIPLE_PX) * MULTIPLE_PX, -(-columns // MULTIPLE_PX) * MULTIPLE_PX, 3), MEAN)
    padded[:rows, :columns] = small
    return torch.from_numpy((padded.astype(np.float32) - MEAN) / STD).permute(2, 0, 1)[None], scale
