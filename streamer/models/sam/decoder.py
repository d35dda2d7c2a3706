"""SAM's prompt encoder and mask decoder for many objects at once, with upstream's weights and upstream's answers.

Upstream takes one number of points for the whole batch. Objects with fewer would have to be filled up with points that
are none, and since every token attends to every other that changes the answer. Here the tokens that an object does not
have are masked in the attention instead, so each object gets exactly what it would get alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from streamer.data.prompt import Prompt
from streamer.models.sam.detail import DetailMaskDecoder
from streamer.models.sam.painting import BOX_CORNER_0, BOX_CORNER_1, PaintingPromptEncoder
from streamer.models.sam.two_way import ImageToTokens, MaskHead, TokensToImage

NOT_A_POINT, ABSENT = 4, 5


class PromptDecoder:
    """Answers a batch of prompts on one image embedding.

    Only reads its weights, so that several threads may use it at once.

    Args:
        sam: ``segment_anything.modeling.Sam`` in float32, already on its device.
    """

    def __init__(self, sam: Any) -> None:
        self._prompt_encoder = sam.prompt_encoder
        self._mask_decoder = sam.mask_decoder
        self._device = sam.device
        encoder = sam.prompt_encoder
        kinds = [*encoder.point_embeddings, encoder.not_a_point_embed]
        with torch.inference_mode():
            rows = [kind.weight for kind in kinds]
            self._kind_embeddings = torch.cat([*rows, torch.zeros_like(rows[0])])
            self._prepare(encoder.get_dense_pe()[0])
            self._output_tokens = torch.cat(
                [self._mask_decoder.iou_token.weight, self._mask_decoder.mask_tokens.weight]
            )

    def _prepare(self, image_pe: Tensor) -> None:
        transformer = self._mask_decoder.transformer
        self._layers = [
            (
                layer,
                TokensToImage(layer.cross_attn_token_to_image, image_pe),
                ImageToTokens(layer.cross_attn_image_to_token, image_pe),
            )
            for layer in transformer.layers
        ]
        self._final_attention = TokensToImage(transformer.final_attn_token_to_image, image_pe)
        self._mask_head = MaskHead(self._mask_decoder.output_upscaling)

    def decode(
        self, features: Tensor, prompts: Sequence[Prompt], scale: tuple[float, float], multimask_output: bool
    ) -> tuple[Tensor, Tensor]:
        """Candidate masks of N prompts.

        Args:
            features: ``(1, C, h, w)`` float32 image embedding, of the whole square or of a part without padding.
            prompts: In pixels of the frame.
            scale: Pixels of the model's square input per pixel of the frame, in x and y.
            multimask_output: Three candidates instead of one.

        Returns:
            Logits ``(N, K, 4h, 4w)`` and predicted IoU ``(N, K)``.
        """
        places, kinds = self._place_points(prompts, scale)
        tokens = self._embed_points(places, kinds)
        size = int(features.shape[-2]), int(features.shape[-1])
        dense = self._embed_masks(prompts, size)
        if isinstance(self._prompt_encoder, PaintingPromptEncoder):
            dense = dense + self._prompt_encoder.embed_painting(places, kinds, size)
        keep = None
        if bool((kinds == ABSENT).any()):
            keep = F.pad(kinds != ABSENT, (len(self._output_tokens), 0), value=True)[:, None, None]
        output_tokens = self._output_tokens.expand(len(prompts), -1, -1)
        image, *detail = self._split(features)
        tokens, image = self._transform(image + dense, torch.cat([output_tokens, tokens], dim=1), keep, size)
        return self._predict(tokens, image, size, detail, multimask_output)

    def _split(self, features: Tensor) -> tuple[Tensor, ...]:
        """The embedding ``(1, C, h, w)``, and the finer maps where the model has them; see `DetailMaskDecoder`."""
        decoder = self._mask_decoder
        return decoder.split(features) if isinstance(decoder, DetailMaskDecoder) else (features,)

    def _place_points(self, prompts: Sequence[Prompt], scale: tuple[float, float]) -> tuple[Tensor, Tensor]:
        """Where every token lies in the square input ``(N, T, 2)`` [px], and its kind ``(N, T)``."""
        rows = [_points_of(prompt) for prompt in prompts]
        longest = max(len(kinds) for _, kinds in rows)
        coords = np.zeros((len(rows), longest, 2), np.float32)
        kinds = np.full((len(rows), longest), ABSENT)
        for row, (points, labels) in enumerate(rows):
            coords[row, : len(points)] = points
            kinds[row, : len(labels)] = labels
        places = torch.from_numpy(coords * np.array(scale, np.float32) + np.float32(0.5))
        return places.to(self._device), torch.from_numpy(kinds).to(self._device)

    def _embed_points(self, places: Tensor, kinds: Tensor) -> Tensor:
        """The embedding ``(N, T, C)`` of every token."""
        encoder = self._prompt_encoder
        positions = encoder.pe_layer.forward_with_coords(places, encoder.input_image_size)
        return torch.where((kinds < NOT_A_POINT)[..., None], positions, 0.0) + self._kind_embeddings[kinds]

    def _embed_masks(self, prompts: Sequence[Prompt], size: Sequence[int]) -> Tensor:
        """What the prompts say about every pixel: ``(N, C, h, w)``, or ``(1, C, 1, 1)`` where none has a mask."""
        none = self._prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        given = {index: prompt.mask_input for index, prompt in enumerate(prompts) if prompt.mask_input is not None}
        if not given:
            return none
        masks = torch.from_numpy(np.stack(list(given.values()))).to(self._device)
        dense = none.expand(len(prompts), -1, *size).clone()
        dense[list(given)] = self._prompt_encoder.mask_downscaling(masks[:, None].float())
        return dense

    def _transform(
        self, image: Tensor, tokens: Tensor, keep: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Upstream's ``TwoWayTransformer``: tokens attend to the image, the image to the tokens to keep.

        Args:
            image: ``(N or 1, C, h, w)``.
            tokens: ``(N, T, C)``.
            keep: ``(N, 1, 1, T)`` bool, False for tokens that an object does not have; None where all have all.
            size: (h, w).

        Returns:
            Tokens ``(N, T, C)`` and image ``(N, h * w, C)``.
        """
        transformer = self._mask_decoder.transformer
        absent = (
            None if keep is None else torch.zeros(keep.shape, device=keep.device).masked_fill_(~keep, -torch.inf)[:, 0]
        )
        image = image.flatten(2).transpose(1, 2).contiguous()
        queries = tokens
        for layer, to_image, to_tokens in self._layers:
            if layer.skip_first_layer_pe:
                queries = _attend(layer.self_attn, queries, queries, queries, keep)
            else:
                placed = queries + tokens
                queries = queries + _attend(layer.self_attn, placed, placed, queries, keep)
            queries = layer.norm1(queries)
            queries = layer.norm2(queries + to_image(queries + tokens, image, size))
            queries = layer.norm3(queries + layer.mlp(queries))
            image = layer.norm4(to_tokens(image, queries + tokens, queries, absent, size))
        return transformer.norm_final_attn(queries + self._final_attention(queries + tokens, image, size)), image

    def _predict(
        self, tokens: Tensor, image: Tensor, size: tuple[int, int], detail: list[Tensor], multimask_output: bool
    ) -> tuple[Tensor, Tensor]:
        """Logits ``(N, K, 4h, 4w)`` and predicted IoU ``(N, K)`` of ``(N, T, C)`` tokens, ``(N, h * w, C)`` image."""
        decoder = self._mask_decoder
        wanted = range(1, decoder.num_mask_tokens) if multimask_output else range(1)
        mask_tokens = torch.stack([decoder.output_hypernetworks_mlps[k](tokens[:, 1 + k]) for k in wanted], dim=1)
        masks = self._mask_head(image, mask_tokens, size, detail)
        return masks, decoder.iou_prediction_head(tokens[:, 0])[:, list(wanted)]


def _points_of(prompt: Prompt) -> tuple[NDArray[np.float32], list[int]]:
    """The prompt's points in upstream's order; points without a box are closed by one that is none."""
    coords, kinds = prompt.point_coords, prompt.point_labels.tolist()
    if prompt.box is not None:
        return np.concatenate([coords, prompt.box.reshape(2, 2)]), [*kinds, BOX_CORNER_0, BOX_CORNER_1]
    return coords, [*kinds, NOT_A_POINT] if kinds else []


def _attend(attention: Any, query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None = None) -> Tensor:
    """Upstream's decoder ``Attention`` without its copies; ``keep`` is True where a key may be attended to."""
    heads = attention.num_heads
    q, k, v = (
        projection(tensor).unflatten(-1, (heads, -1)).transpose(1, 2)
        for projection, tensor in (
            (attention.q_proj, query),
            (attention.k_proj, key),
            (attention.v_proj, value),
        )
    )
    attended = F.scaled_dot_product_attention(q, k, v, attn_mask=keep)
    return attention.out_proj(attended.transpose(1, 2).flatten(2))
