"""Promptable networks of transformers behind one pair of calls: features of images, and masks of prompts on them.

Each is built from the parts that transformers documents (vision encoder, prompt encoder, mask decoder), not from the
models' ``forward``, which would encode the image again, or answer for video models with one mask instead of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from streamer.models.sam.square import InputSquare


@dataclass(frozen=True, slots=True, eq=False)
class Prompts:
    """N prompts of one shape, in pixels of the square input.

    Attributes:
        points: ``(1, N, P, 2)`` float32, or None.
        labels: ``(1, N, P)`` int32 with 1 foreground, 0 background, -1 not a point; or None.
        boxes: ``(1, N, 4)`` float32, or None.
        masks: ``(N, 1, h, w)`` float32 low-resolution logits, or None.
    """

    points: Tensor | None
    labels: Tensor | None
    boxes: Tensor | None
    masks: Tensor | None

    def parts(self) -> dict[str, Tensor | None]:
        """What a prompt encoder takes. With masks, every prompt is put on an image of its own."""
        parts = {"input_points": self.points, "input_labels": self.labels, "input_boxes": self.boxes}
        if self.masks is not None:
            parts = {name: None if part is None else part.transpose(0, 1) for name, part in parts.items()}
        return parts | {"input_masks": self.masks}


class PromptableNetwork(Protocol):
    """Encodes images, and decodes prompts of one shape."""

    square: InputSquare
    patch_px: int
    candidates: int

    def encode(self, pixels: Tensor) -> list[Any]:
        """The features of each of ``(B, 3, S, S)`` normalized images."""
        ...

    def decode(self, features: Any, prompts: Prompts, multimask_output: bool) -> tuple[Tensor, Tensor]:
        """Logits ``(N, K, h, w)`` and predicted IoU ``(N, K)``."""
        ...

    def grid(self, features: Any) -> Tensor:
        """The ``(C, h, w)`` embedding of one image."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Sam2Features:
    """What a SAM 2 makes of one image.

    Attributes:
        maps: Three ``(h * w, 1, C)`` feature maps, the finest first, as its video sessions take them.
        positions: Three ``(h * w, 1, C)`` position encodings of them.
    """

    maps: list[Tensor]
    positions: list[Tensor]


class Sam2Network:
    """``Sam2Model``, ``Sam2VideoModel``, and the models that transformers derives from them (EdgeTAM, SAM 3's tracker).

    Args:
        model: In evaluation mode, on its device.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        side_px, low_res_px = int(model.prompt_encoder.input_image_size), int(model.prompt_encoder.mask_input_size[0])
        self.square = InputSquare(side_px, low_res_px, side_px, keeps_aspect=False)
        self.patch_px = side_px // int(model.prompt_encoder.image_embedding_size[0])
        self.candidates = int(model.mask_decoder.num_multimask_outputs)

    def encode(self, pixels: Tensor) -> list[Sam2Features]:
        outputs = self.model.get_image_features(pixels, return_dict=True)
        levels = len(self.model.backbone_feature_sizes)  # SAM 3 has a coarser one, which its tracker does not use
        maps, positions = outputs.fpn_hidden_states[:levels], outputs.fpn_position_encoding[:levels]
        return [
            Sam2Features([one[:, i : i + 1] for one in maps], [_of_image(one, i) for one in positions])
            for i in range(len(pixels))
        ]

    def decode(self, features: Sam2Features, prompts: Prompts, multimask_output: bool) -> tuple[Tensor, Tensor]:
        *fine, coarse = self._as_maps(features)
        count = 1 if prompts.masks is None else len(prompts.masks)
        sparse, dense = self.model.prompt_encoder(**prompts.parts())
        positions = self.model.get_image_wide_positional_embeddings()
        logits, scores, _, _ = self.model.mask_decoder(
            image_embeddings=_repeated(coarse, count),
            image_positional_embeddings=_repeated(positions, count),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask_output,
            high_resolution_features=[_repeated(one, count) for one in fine],
        )
        return logits.flatten(0, 1), scores.flatten(0, 1)

    def grid(self, features: Sam2Features) -> Tensor:
        return self._as_maps(features)[-1][0]

    def _as_maps(self, features: Sam2Features) -> list[Tensor]:
        """``(1, C, h, w)`` each; the coarsest as it is used where there is no memory of other frames."""
        *fine, coarse = features.maps
        sizes = self.model.backbone_feature_sizes
        maps = [*fine, coarse + self.model.no_memory_embedding]
        return [one.permute(1, 2, 0).unflatten(-1, tuple(size)) for one, size in zip(maps, sizes, strict=True)]


class SamHqNetwork:
    """``SamHQModel`` (Ke et al., NeurIPS 2023): SAM with one more token, and sharper edges.

    Args:
        model: In evaluation mode, on its device.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        side_px = int(model.config.vision_config.image_size)
        self.patch_px = int(model.config.vision_config.patch_size)
        self.square = InputSquare(side_px, 4 * side_px // self.patch_px, side_px)
        self.candidates = int(model.mask_decoder.num_mask_tokens) - 2  # neither the single one nor the sharp one

    def encode(self, pixels: Tensor) -> list[tuple[Tensor, Tensor]]:
        outputs = self._model.vision_encoder(pixels)
        embeddings, early = outputs.last_hidden_state, outputs.intermediate_embeddings[0]
        return [(embeddings[i : i + 1], early[i : i + 1]) for i in range(len(pixels))]

    def decode(
        self, features: tuple[Tensor, Tensor], prompts: Prompts, multimask_output: bool
    ) -> tuple[Tensor, Tensor]:
        count = 1 if prompts.masks is None else len(prompts.masks)
        embedding, early = (_repeated(one, count) for one in features)
        sparse, dense = self._model.prompt_encoder(**prompts.parts())
        logits, scores = self._model.mask_decoder(
            image_embeddings=embedding,
            image_positional_embeddings=_repeated(self._model.get_image_wide_positional_embeddings(), count),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask_output,
            hq_token_only=False,
            intermediate_embeddings=[early],
        )
        return logits.flatten(0, 1), scores.flatten(0, 1)

    def grid(self, features: tuple[Tensor, Tensor]) -> Tensor:
        return features[0][0]


def _of_image(positions: Tensor, index: int) -> Tensor:
    """Position encodings do not depend on the image, so a batch may have one of them only."""
    return positions[:, min(index, positions.shape[1] - 1)][:, None]


def _repeated(tensor: Tensor, count: int) -> Tensor:
    return tensor.expand(count, *tensor.shape[1:])
