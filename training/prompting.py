"""A whole batch of pictures and prompts through SAM at once, with gradients (upstream does one picture at a time)."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from training import prompts
from training.samples import LOGIT_STRIDE_PX


def set_resolution(sam: Sam, side_px: int) -> None:
    """Let ``sam`` take squares of ``side_px`` [px]; its weights do not depend on that."""
    grid = side_px // 16
    sam.image_encoder.img_size = side_px
    sam.prompt_encoder.image_embedding_size = (grid, grid)
    sam.prompt_encoder.input_image_size = (side_px, side_px)
    sam.prompt_encoder.mask_input_size = (4 * grid, 4 * grid)


def embed_images(sam: Sam, image: Tensor, valid_size: Tensor) -> Tensor:
    """``(B, H, W, 3)`` uint8 pictures to ``(B, C, H/16, W/16)`` embeddings; what lies outside ``valid_size`` is 0."""
    pixels = (image.permute(0, 3, 1, 2).float() - sam.pixel_mean) / sam.pixel_std
    down, across = (torch.arange(side, device=image.device) for side in image.shape[1:3])
    inside = (across < valid_size[:, :1])[:, None, None, :] & (down < valid_size[:, 1:])[:, None, :, None]
    return sam.image_encoder(pixels * inside)


def embed_points(sam: Sam, points: Tensor, labels: Tensor) -> Tensor:
    """``(N, K, 2)`` points [px] with labels -1 to 3 (see `prompts`) to ``(N, K, C)`` tokens, as upstream does."""
    encoder = sam.prompt_encoder
    positions = encoder.pe_layer.forward_with_coords(points + 0.5, encoder.input_image_size)
    kinds = torch.cat([encoder.not_a_point_embed.weight, *(e.weight for e in encoder.point_embeddings)])
    # Upstream pads with a point that has no position, and moves box corners by half a pixel as it does clicks.
    return positions * (labels >= 0)[..., None] + kinds[labels + 1]


def decode(
    sam: Sam, embeddings: Tensor, points: Tensor, labels: Tensor, mask_input: Tensor, has_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """All four masks of every prompt.

    Args:
        embeddings: ``(B, C, h, w)``; prompt n belongs to picture n // (N / B).
        points, labels: ``(N, K, 2)`` [px] and ``(N, K)``.
        mask_input: ``(N, 4h, 4w)`` logits, used where ``has_mask`` ``(N,)`` is true.

    Returns:
        ``(N, 4, 4h, 4w)`` logits and ``(N, 4)`` predicted IoUs.
    """
    encoder, decoder = sam.prompt_encoder, sam.mask_decoder
    rows, columns = embeddings.shape[-2:]
    sparse = embed_points(sam, points, labels)
    dense = torch.where(
        has_mask[:, None, None, None],
        encoder.mask_downscaling(mask_input[:, None]),
        encoder.no_mask_embed.weight[:, :, None, None],
    )
    dense = dense + encoder.embed_painting(points + 0.5, labels, (rows, columns))
    count = len(points)
    output_tokens = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([output_tokens.expand(count, -1, -1), sparse], dim=1)
    image, *detail = (part.repeat_interleave(count // len(embeddings), dim=0) for part in decoder.split(embeddings))
    source = image + dense
    positions = encoder.get_dense_pe()[..., :rows, :columns].expand(count, -1, -1, -1)
    attended, image_tokens = decoder.transformer(source, positions, tokens)
    upscaled = decoder.upscale(image_tokens.transpose(1, 2).reshape(source.shape), *detail)
    mask_tokens = attended[:, 1 : 1 + decoder.num_mask_tokens]
    kernels = torch.stack([mlp(mask_tokens[:, i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)], dim=1)
    logits = torch.einsum("nkc,nchw->nkhw", kernels, upscaled)
    return logits, decoder.iou_prediction_head(attended[:, 0])


def correct(
    logits: Tensor, targets: Tensor, points: Tensor, labels: Tensor, rng: np.random.Generator | None
) -> tuple[Tensor, Tensor]:
    """Add one click where ``(N, h, w)`` logits are most wrong to the points and labels."""
    wanted = (targets > 0.5).cpu().numpy()
    wrong = ((logits > 0).cpu().numpy() != wanted).astype(np.uint8)
    cv2.setNumThreads(1)
    low = np.array([prompts.corrective_point(error, rng) for error in wrong])
    columns, rows = low[:, 0].astype(int), low[:, 1].astype(int)
    added = wanted[np.arange(len(low)), rows.clip(0, wrong.shape[1] - 1), columns.clip(0, wrong.shape[2] - 1)]
    offset = 0.5 if rng is None else rng.random(low.shape)
    clicks = torch.from_numpy(((low + offset) * LOGIT_STRIDE_PX).astype(np.float32)).to(points)
    new_labels = torch.from_numpy(added.astype(np.int64)).to(labels)
    return torch.cat([clicks[:, None], points], dim=1), torch.cat([new_labels[:, None], labels], dim=1)
