"""One training step of the memory: a clip is followed from the masks of its first frame, and every mask is judged."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from streamer.models.tiny.memory import Answer, ImageFeatures, MemoryNetwork, image_features
from streamer.models.tiny.memory_decoder import Carried, Query
from streamer.models.tiny.sam import PIXEL_MEAN, PIXEL_STD, TinyImageEncoder
from training.losses import dice_loss, true_iou
from training.run import Batch

PRESENT_CELLS = 4.0


class Weights(NamedTuple):
    """How much each part of the loss counts."""

    readout: float = 0.5
    presence: float = 0.6
    iou: float = 0.5


WEIGHTS = Weights()


@torch.no_grad()
def look(encoder: TinyImageEncoder, images: Tensor) -> ImageFeatures:
    """The frozen encoder's features of ``(B, T, H, W, 3)`` uint8 images, of B * T."""
    pixels = images.flatten(0, 1).permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(values, device=pixels.device)[:, None, None] for values in (PIXEL_MEAN, PIXEL_STD))
    return image_features(encoder, (pixels - mean) / std)[1]


class Remembering(NamedTuple):
    """What is remembered of the frames after the first one.

    Attributes:
        taught: Share of the frames that are remembered with their true masks rather than with what was answered.
        spoiled: Share of those with a carried mask that are remembered with that one, wrong as it may be: the first
            frame has to hold out against them, and the score to tell.
    """

    taught: float
    spoiled: float = 0.0


def clip_loss(network: MemoryNetwork, encoder: TinyImageEncoder, batch: Batch, how: Remembering) -> Tensor:
    """The mean loss over the frames after the first one."""
    images, masks = batch["images"], batch["masks"].float() / 255
    count, frames = images.shape[:2]
    queries = network.keys(look(encoder, images))
    steps = [Query(*(part.unflatten(0, (count, frames))[:, t] for part in queries)) for t in range(frames)]
    keys = [steps[0].key.flatten(2)]
    values = [network.values(steps[0], masks[:, 0]).flatten(3)]
    losses = []
    for t in range(1, frames):
        carried = Carried(batch["carried"][:, t].float() / 255, batch["known"][:, t].float())
        answer = network.read(steps[t], torch.cat(keys, dim=2), torch.cat(values, dim=3), carried)
        losses.append(answer_loss(answer, masks[:, t], batch["real"]))
        if t + 1 < frames:
            remembered = _remembered(answer, masks[:, t], carried, how) * batch["real"][:, :, None, None]
            keys.append(steps[t].key.flatten(2))
            values.append(network.values(steps[t], remembered).flatten(3))
    return torch.stack(losses).mean()


def _remembered(answer: Answer, truth: Tensor, carried: Carried, how: Remembering) -> Tensor:
    """``(B, K, 4h, 4w)`` masks that this frame is remembered with, no cell in more than one."""
    chance = torch.rand(2, len(truth), 1, 1, 1, device=truth.device)
    masks = torch.where(chance[0] < how.taught, truth, answer.mask_logits.detach().sigmoid())
    spoil = (chance[1] < how.spoiled) & (carried.known[..., None, None] > 0)
    masks = torch.where(spoil, carried.masks, masks)
    return masks / masks.sum(1, keepdim=True).clamp(min=1)


def answer_loss(answer: Answer, truth: Tensor, real: Tensor, weights: Weights = WEIGHTS) -> Tensor:
    """Cross-entropy and Dice of mask and read-out, presence and IoU.

    Args:
        truth: ``(B, K, 4h, 4w)``, 0 to 1.
        real: ``(B, K)``, whether there is such an object at all; others do not count.
    """
    count = real.float()
    present = (truth.sum((2, 3)) > PRESENT_CELLS).float()
    masks = _mask_loss(answer.mask_logits, truth, present)
    readout = _mask_loss(answer.readout_logits, functional.avg_pool2d(truth, 4), present)
    presence = functional.binary_cross_entropy_with_logits(answer.presence_logits, present, reduction="none")
    iou = true_iou(answer.mask_logits.detach(), truth)
    error = (answer.iou_logits.sigmoid() - iou).abs() * present
    each = masks + weights.readout * readout + weights.presence * presence + weights.iou * error
    return (each * count).sum() / count.sum().clamp(min=1)


def _mask_loss(logits: Tensor, truth: Tensor, present: Tensor) -> Tensor:
    """``(B, K)``: cross-entropy, of which the worst third of the cells is half, and Dice where there is an object."""
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none").flatten(2)
    worst = entropy.topk(entropy.shape[2] // 8, dim=2).values.mean(2)
    return entropy.mean(2) + worst + dice_loss(logits, truth) * present
