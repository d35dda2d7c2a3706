"""SAM 2.1's, EdgeTAM's and SAM 3's memory against transformers' own streaming sessions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from streamer.errors import ModelError
from streamer.models import registry
from streamer.models.protocols import Embedding, Memory
from streamer.models.sam2.segmenter import PromptableSegmenter
from streamer.models.video.segmenter import VideoSegmenter

SIZE = 140, 90
VIDEO = ("sam2", "edgetam", "sam3")
Segmenters = dict[str, PromptableSegmenter]


def video(segmenters: Segmenters, name: str) -> VideoSegmenter:
    segmenter = segmenters[name]
    assert isinstance(segmenter, VideoSegmenter)
    return segmenter


def image(index: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(index).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def square(x: int, y: int, side: int = 40) -> NDArray[np.uint8]:
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[y : y + side, x : x + side] = 255
    return mask


MASKS = {3: square(10, 20), 7: square(80, 30)}


def streamed(segmenter: VideoSegmenter, embeddings: list[Embedding]) -> list[Any]:
    """What transformers' own session says of a video whose objects are given on its first frame."""
    model, memory = segmenter.network.model, segmenter.memory
    session = memory._model._session_class(dtype=torch.float32)
    for number, mask in enumerate(MASKS.values()):
        session.add_mask_inputs(session.obj_id_to_idx(number), 0, memory._on_square(mask)[None, None])
    session.obj_with_new_inputs = [0, 1]
    outputs = []
    for index, embedding in enumerate(embeddings):
        features = {"vision_feats": embedding.features.maps, "vision_pos_embeds": embedding.features.positions}
        session.cache.cache_vision_features(index, features)
        outputs.append(model(session, frame=torch.empty(0)))
    return outputs


def followed(segmenter: VideoSegmenter, embeddings: list[Embedding]) -> tuple[list[Any], list[Memory]]:
    """What the memory here says, and what it keeps, where nobody changes what it found."""
    memories = [segmenter.memory.remember(embeddings[0], MASKS)]
    recalled = []
    for embedding in embeddings[1:]:
        one = segmenter.memory.recall(embedding, memories, list(MASKS), {}, SIZE)
        recalled.append(one)
        soft = {each: ((logits > 0) * np.uint8(255)) for each, logits in zip(MASKS, one.logits, strict=True)}
        memories.append(segmenter.memory.remember(embedding, soft))
    return recalled, memories


@pytest.mark.parametrize("name", VIDEO)
def test_it_follows_as_a_session_of_transformers_does(name: str, segmenters: Segmenters) -> None:
    segmenter = video(segmenters, name)
    embeddings = segmenter.encode_batch([image(index) for index in range(6)])
    recalled, memories = followed(segmenter, embeddings)
    for mine, theirs in zip(recalled, streamed(segmenter, embeddings)[1:], strict=True):
        low = theirs.pred_masks.float().flatten(0, 1).numpy()
        wanted = np.stack([cv2.resize(one, SIZE, interpolation=cv2.INTER_LINEAR) for one in low])
        mine_alone, theirs_alone = (mine.logits > 0), (wanted > 0) & (wanted == wanted.max(axis=0))
        assert (mine_alone != theirs_alone).mean() < 0.02  # memories are bfloat16, and these masks of noise are flat
        np.testing.assert_allclose(mine.presence, theirs.object_score_logits.sigmoid().flatten(), atol=2e-3)
        assert ((mine.logits > 0).sum(axis=0) <= 1).all()
    assert [value.is_conditioning for value in memories[0].values.values()] == [True, True]
    assert not any(value.is_conditioning for one in memories[1:] for value in one.values.values())


@pytest.mark.parametrize("name", VIDEO)
def test_what_is_kept_is_small_and_what_was_changed_is_taken_for_given(name: str, segmenters: Segmenters) -> None:
    segmenter = video(segmenters, name)
    embeddings = segmenter.encode_batch([image(index) for index in range(2)])
    _, memories = followed(segmenter, embeddings)
    for value in memories[-1].values.values():
        stored = sum(part.untyped_storage().nbytes() for part in value.outputs.values())
        assert stored == sum(part.nbytes for part in value.outputs.values()) < 128 * 1024
    corrected = segmenter.memory.remember(embeddings[1], {3: square(30, 10)})
    assert corrected.values[3].is_conditioning
    third = segmenter.encode(image(2))
    before, after = (
        segmenter.memory.recall(third, [memories[0], last], [3], {}, SIZE).logits for last in (memories[1], corrected)
    )
    assert np.abs(before - after).max() > 1e-4, "a correction matters"


@pytest.mark.parametrize("name", VIDEO)
def test_an_object_may_begin_on_any_frame_and_only_recent_ones_need_be_known(name: str, segmenters: Segmenters) -> None:
    segmenter = video(segmenters, name)
    embeddings = segmenter.encode_batch([image(index) for index in range(3)])
    first = segmenter.memory.remember(embeddings[0], {3: MASKS[3]})
    second = segmenter.memory.remember(embeddings[1], {7: MASKS[7]})
    together = segmenter.memory.recall(embeddings[2], [first, second], [7, 3], {}, SIZE)
    for number, known in ((7, second), (3, first)):
        alone = segmenter.memory.recall(embeddings[2], [known], [number], {}, SIZE)
        place = [7, 3].index(number)
        np.testing.assert_allclose(together.presence[place], alone.presence[0], atol=1e-4)
    recalled, memories = followed(segmenter, embeddings)
    assert recalled
    last = segmenter.memory.recall(embeddings[2], memories[-1:], [3], {}, SIZE)
    assert np.isfinite(last.logits).all(), "the frame on which it was given has been forgotten"


def test_a_memory_that_the_segmenter_does_not_have_is_refused(segmenters: Segmenters) -> None:
    assert registry.remembering(segmenters["edgetam"], "cpu", "edgetam") is segmenters["edgetam"]
    for name, method in (("edgetam", "sam2"), ("sam_hq", "sam3")):
        with pytest.raises(ModelError, match=f"tracking.method {method} is the memory of facebook/sam.*set segmenter"):
            registry.remembering(segmenters[name], "cpu", method)
    bundled = registry.remembering(segmenters["sam2"], "cpu")
    assert bundled is not segmenters["sam2"]
    assert bundled.name == segmenters["sam2"].name
