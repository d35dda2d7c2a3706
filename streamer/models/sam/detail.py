"""Upstream's mask decoder that also sees the fine detail of the image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from streamer.models.sam.networks import MaskDecoder


class DetailMaskDecoder(MaskDecoder):
    """A ``MaskDecoder`` whose upscaling adds the encoder's maps of strides 8 and 4 to what it enlarges.

    As in SAM 2 (Ravi et al., 2024, section 4): the embedding of stride 16 says which object is meant, the finer maps
    where exactly it ends. They travel in further channels of the image embedding (pixel unshuffle), C of the
    transformer, then 4 times C/4 of stride 8, then 16 times C/8 of stride 4.
    """

    def predict_masks(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """As upstream, for one image: ``(N, 4, 4h, 4w)`` logits and ``(N, 4)`` predicted IoUs."""
        count = len(sparse_prompt_embeddings)
        image, *detail = self.split(image_embeddings)
        source = image + dense_prompt_embeddings
        output_tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(count, -1, -1)
        tokens = torch.cat([output_tokens, sparse_prompt_embeddings], dim=1)
        attended, source_tokens = self.transformer(source, image_pe.expand(count, -1, -1, -1), tokens)
        upscaled = self.upscale(source_tokens.transpose(1, 2).reshape(source.shape), *detail)
        heads = enumerate(self.output_hypernetworks_mlps)
        kernels = torch.stack([head(attended[:, 1 + i]) for i, head in heads], dim=1)
        return torch.einsum("nkc,nchw->nkhw", kernels, upscaled), self.iou_prediction_head(attended[:, 0])

    def split(self, image_embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The embedding ``(B, C, h, w)`` and the finer maps, ``(B, C/4, 2h, 2w)`` and ``(B, C/8, 4h, 4w)``."""
        width = self.transformer_dim
        image, stride8, stride4 = image_embeddings.split([width, width, 2 * width], dim=1)
        return image, functional.pixel_shuffle(stride8, 2), functional.pixel_shuffle(stride4, 4)

    def upscale(self, image: Tensor, stride8: Tensor, stride4: Tensor) -> Tensor:
        """``(N, C, h, w)`` with the finer maps of its image to ``(N, C/8, 4h, 4w)``."""
        first, norm, activation, second, last = self.output_upscaling
        return last(second(activation(norm(first(image) + stride8))) + stride4)


def pack(stride8: Tensor, stride4: Tensor) -> Tensor:
    """The finer maps as further channels of the embedding: ``(B, 3C, h, w)``."""
    return torch.cat([functional.pixel_unshuffle(stride8, 2), functional.pixel_unshuffle(stride4, 4)], dim=1)
