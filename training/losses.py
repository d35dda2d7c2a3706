"""What the models are trained to make small."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def focal_loss(logits: Tensor, targets: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss with soft targets (Li et al., 2020, quality focal loss), mean over the last two dimensions.

    Args:
        logits: ``(..., h, w)``.
        targets: ``(..., h, w)``, 0 to 1.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (entropy * (logits.sigmoid() - targets).abs() ** gamma).mean((-2, -1))


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the soft Dice overlap (Milletari et al., 2016) over the last two dimensions."""
    inside = logits.sigmoid()
    overlap = (inside * targets).sum((-2, -1))
    return 1 - (2 * overlap + 1) / (inside.sum((-2, -1)) + targets.sum((-2, -1)) + 1)


def true_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """Intersection over union of ``logits > 0`` and ``targets > 0.5`` over the last two dimensions."""
    inside, wanted = logits > 0, targets > 0.5
    union = (inside | wanted).sum((-2, -1))
    return (inside & wanted).sum((-2, -1)) / union.clamp(min=1)


def mask_loss(logits: Tensor, iou_predictions: Tensor, targets: Tensor) -> Tensor:
    """The loss of one round of SAM's decoder (Kirillov et al., 2023): focal 20 : dice 1 : IoU error 1.

    The first mask answers for itself; of the other three the best one is supervised, the rest only a little so that
    no head dies. The IoU error is absolute, as in SAM 2 (Ravi et al., 2024).

    Args:
        logits: ``(N, 4, h, w)``.
        iou_predictions: ``(N, 4)``.
        targets: ``(N, h, w)``, 0 to 1.
    """
    spread = targets[:, None].expand_as(logits)
    per_mask = 20 * focal_loss(logits, spread) + dice_loss(logits, spread)
    single, several = per_mask[:, 0], per_mask[:, 1:]
    best = several.min(dim=1).values
    iou_error = (iou_predictions - true_iou(logits.detach(), spread)).abs().mean(dim=1)
    return (single + best + 0.05 * several.mean(dim=1) + iou_error).mean()


def align(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Fit scale and shift of each ``(B, H, W)`` prediction to its target by least squares where ``valid`` is 1.

    The scale is never negative: a map that is upside down fits no better than a flat one.
    """
    weight = valid / valid.sum((1, 2), keepdim=True).clamp(min=1)
    mean_prediction = (weight * prediction).sum((1, 2), keepdim=True)
    mean_target = (weight * target).sum((1, 2), keepdim=True)
    centered = prediction - mean_prediction
    covariance = (weight * centered * (target - mean_target)).sum((1, 2), keepdim=True)
    variance = (weight * centered.square()).sum((1, 2), keepdim=True)
    return centered * (covariance.clamp(min=0) / (variance + 1e-6)) + mean_target


def normalize(depth: Tensor, valid: Tensor) -> Tensor:
    """Shift and scale each ``(B, H, W)`` map to zero mean and unit mean absolute deviation where ``valid`` is 1."""
    weight = valid / valid.sum((1, 2), keepdim=True).clamp(min=1)
    centered = depth - (weight * depth).sum((1, 2), keepdim=True)
    return centered / (weight * centered.abs()).sum((1, 2), keepdim=True).clamp(min=1e-4)


def depth_loss(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Scale-and-shift-invariant loss with gradient matching at four scales (Ranftl et al., 2020).

    Both maps are normalized on their own, so a map that is upside down costs the most.

    Args:
        prediction, target: ``(B, H, W)`` inverse depth, each up to its own scale and shift.
        valid: ``(B, H, W)``, 1 where the target is known and 0 elsewhere.
    """
    error = normalize(prediction, valid) - normalize(target, valid)
    loss = (error.abs() * valid).sum() / valid.sum().clamp(min=1)
    for scale in range(4):
        step = 2**scale
        loss = loss + 0.5 * _gradient(error[:, ::step, ::step], valid[:, ::step, ::step])
    return loss


def drift_loss(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """How far each ``(B, H, W)`` prediction is from its target at mean 1: `depth_loss` leaves scale and shift free.

    Left alone, they grow by six orders of magnitude in 800 steps.
    """
    weight = valid / valid.sum((1, 2), keepdim=True).clamp(min=1)
    mean = (weight * target).sum((1, 2), keepdim=True).clamp(min=1e-6)
    return (weight * (prediction - target / mean).abs()).sum((1, 2)).mean()


def _gradient(error: Tensor, valid: Tensor) -> Tensor:
    across = (error[:, :, 1:] - error[:, :, :-1]).abs() * valid[:, :, 1:] * valid[:, :, :-1]
    down = (error[:, 1:] - error[:, :-1]).abs() * valid[:, 1:] * valid[:, :-1]
    return (across.sum() + down.sum()) / torch.clamp(valid.sum(), min=1)
