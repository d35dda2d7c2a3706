"""Segment Anything: encode once, decode many times. Kirillov et al., ICCV 2023, with upstream's own classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from streamer.data.prompt import Prompt
from streamer.models.protocols import Decoded, Embedding, Found
from streamer.models.runtime.attention import FastImageEncoder
from streamer.models.runtime.compiling import compiled
from streamer.models.runtime.devices import pick_precision
from streamer.models.sam import automatic
from streamer.models.sam.decoder import PromptDecoder
from streamer.models.sam.networks import ImageEncoderViT
from streamer.models.sam.square import InputSquare


class SamSegmenter:
    """A ``Sam`` of any size as a :class:`streamer.models.protocols.Segmenter`.

    ``encode`` may run in one thread while ``decode`` runs in another: neither changes any state.

    Args:
        sam: The model. It is taken over: moved to the device, its encoder converted.
        name: What to call it.
        device: Where it runs.
        precision: Number format of the image encoder; the small decoder always runs in float32.
        compile: Let ``torch.compile`` generate code for the encoder at its first use, which takes a minute or so.
    """

    def __init__(
        self, sam: Any, name: str, device: torch.device, precision: str = "auto", compile: bool = False
    ) -> None:
        self.name = name
        self._device = device
        self._dtype = pick_precision(precision, device)
        sam = sam.to(device).eval().requires_grad_(False)
        side_px = int(sam.image_encoder.img_size)
        # A ViT takes nothing but its whole square. What only convolves need not see the padding.
        multiple_px = getattr(sam.image_encoder, "multiple_px", side_px)
        self._square = InputSquare(side_px, int(sam.prompt_encoder.mask_input_size[0]), multiple_px)
        self._patch_px = side_px // int(sam.prompt_encoder.image_embedding_size[0])
        self._mean, self._std = sam.pixel_mean.cpu(), sam.pixel_std.cpu()
        self._decoder = PromptDecoder(sam)
        sam.image_encoder = self._fast_encoder(sam.image_encoder)
        self._encoder = compiled(sam.image_encoder, name, device) if compile else sam.image_encoder
        self._is_slow_at_first = compile or device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._sam = sam

    def warm_up(self) -> None:
        """Do now what would make the first frame slow, where there is such a thing."""
        if self._is_slow_at_first:
            embedding = self.encode(np.zeros((self._square.side_px, self._square.side_px, 3), np.uint8))
            self.decode(embedding, [Prompt(point_coords=[(0, 0)])])

    def encode(self, image_rgb: NDArray[np.uint8]) -> Embedding:
        """Encode a ``(H, W, 3)`` uint8 RGB image. The embedding is ``(1, C, h, w)`` float32 on the device."""
        return self.encode_batch([image_rgb])[0]

    @torch.inference_mode()
    def encode_batch(self, images_rgb: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode several images at once: the same as one after the other within float tolerance."""
        sizes = [(image.shape[1], image.shape[0]) for image in images_rgb]
        if len({self._square.padded(size) for size in sizes}) > 1:
            return [self.encode(image) for image in images_rgb]
        with torch.cuda.stream(self._stream):
            squares = torch.cat([self._preprocess(image) for image in images_rgb])
            seen = self._see(squares)
        if self._stream is not None:
            self._stream.synchronize()
        return [Embedding(features, size, query) for (features, query), size in zip(seen, sizes, strict=True)]

    @torch.inference_mode()
    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded:
        """Answer N prompts (points, box, mask_input; in pixels of the encoded frame) in one batch.

        Each gets the same answer that it would get alone. A prompt without anything asks for what is salient.
        """
        if not prompts:
            candidates = self._sam.mask_decoder.num_multimask_outputs if multimask_output else 1
            columns, rows = self._square.low_res(embedding.image_size)
            shape = (0, candidates, rows, columns)
            return Decoded(np.empty(shape, np.float32), np.empty(shape[:2], np.float32))
        logits, scores = self._decoder.decode(
            embedding.features, prompts, self._square.scale(embedding.image_size), multimask_output
        )
        return Decoded(logits.cpu().numpy(), scores.cpu().numpy())

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Turn a soft mask (0 to 1, or bool) of an image into ``(h, w)`` logits to be used as ``mask_input``.

        The mask may be of any size; it is averaged down to the low resolution. The padding counts as outside.
        """
        return self._square.mask_input(mask, image_size)

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Bring ``(M, h, w)`` low-resolution logits to the frame: ``(M, H, W)`` float32; above 0 is inside.

        The two bilinear steps of upstream's ``Sam.postprocess_masks``, without the rows that are padding.
        """
        return self._square.upscale(logits, image_size)

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Objects without any prompt: up to ``limit``, the one most worth following first.

        SAM's automatic masks on the embedding at hand; see :mod:`streamer.models.sam.automatic`.
        """
        return automatic.find(self, embedding, self.low_res_size(embedding.image_size), limit)

    def features(self, embedding: Embedding) -> NDArray[np.float32]:
        """``(h, w, C)`` float32 embedding of the part of the square input that holds the image."""
        grid: Tensor = embedding.features[0, : self._sam.prompt_encoder.embed_dim]
        columns, rows = self._square.resized(embedding.image_size)
        patch = self._patch_px
        return grid[:, : -(-rows // patch), : -(-columns // patch)].permute(1, 2, 0).contiguous().cpu().numpy()

    def _preprocess(self, image_rgb: NDArray[np.uint8]) -> Tensor:
        """Resize, normalize and pad as upstream does, but no further than the encoder needs: ``(1, 3, H, W)``.

        torch's antialiased resize follows Pillow's, which upstream uses, in a quarter of the time; the pixels differ
        by 2 of 255 at most and by less than 0.1 on average.
        """
        height, width = image_rgb.shape[:2]
        columns, rows = self._square.resized((width, height))
        pixels = torch.from_numpy(np.ascontiguousarray(image_rgb)).permute(2, 0, 1)[None]
        if self._device.type == "cuda":
            pixels = pixels.pin_memory().to(self._device, non_blocking=True).float()
        if (columns, rows) != (width, height):
            pixels = F.interpolate(pixels, (rows, columns), mode="bilinear", antialias=True)
        padded_columns, padded_rows = self._square.padded((width, height))
        square = torch.zeros(1, 3, padded_rows, padded_columns, device=pixels.device)
        mean, std = self._mean.to(pixels.device), self._std.to(pixels.device)
        torch.sub(
            pixels[0].round() if pixels.is_floating_point() else pixels[0], mean, out=square[0, :, :rows, :columns]
        )
        square[0, :, :rows, :columns].div_(std)
        return square.to(self._device, self._dtype)

    def _see(self, squares: Tensor) -> list[tuple[Tensor, Any]]:
        """The ``(1, C, h, w)`` embedding of each of ``(B, 3, H, W)`` pixels, and what a mask memory reads of it."""
        return [(features, None) for features in self._encoder(squares).float().split(1)]

    def _fast_encoder(self, encoder: Any) -> torch.nn.Module:
        if isinstance(encoder, ImageEncoderViT):
            return FastImageEncoder(encoder, self._dtype).to(self._device).eval()
        return encoder.to(self._dtype)

    def low_res_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the part of the low-resolution logits that shows the image."""
        return self._square.valid_low_res(image_size)
