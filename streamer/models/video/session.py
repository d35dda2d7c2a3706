"""Streaming video sessions of transformers, each for one frame.

transformers keeps what a session has seen in dictionaries that only grow, cannot take an object back, and is told about
frames one after the other. Here every look at a frame gets a session of its own, into which what is remembered is put
(a few frames of each object, numbered as if they had come one after the other), and which is thrown away afterwards: so
it costs the same after a day as after a second, and masks may be remembered, corrected and forgotten on any frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from streamer.models.sam2.networks import Sam2Features

KEPT = ("maskmem_features", "maskmem_pos_enc", "object_pointer")
"""Of what a session stores about an object on a frame, what later frames look at; the rest is large."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectMemory:
    """What is kept of one object on one frame.

    Attributes:
        outputs: What a session stores about it, as far as later frames look at it.
        is_conditioning: Whether its mask came from a person or from outside, rather than from the memory.
    """

    outputs: Mapping[str, Tensor]
    is_conditioning: bool


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """What a video model says of N objects on one frame.

    Attributes:
        logits: ``(N, h, w)`` float32 low-resolution mask logits.
        object_scores: ``(N,)`` float32 logits of being there at all.
        memories: What to keep of each.
    """

    logits: Tensor
    object_scores: Tensor
    memories: list[ObjectMemory]


class VideoModel:
    """``Sam2VideoModel``, ``EdgeTamVideoModel`` or ``Sam3TrackerVideoModel``.

    Args:
        model: In evaluation mode, on its device.
        session_class: The class of its sessions.
    """

    def __init__(self, model: Any, session_class: type) -> None:
        self._model, self._session_class = model, session_class
        self._device = next(model.mask_decoder.parameters()).device

    def condition(self, features: Sam2Features, masks: Tensor) -> list[ObjectMemory]:
        """What to keep of a frame where the masks of N objects are known, ``(N, S, S)`` float32 0 or 1."""
        session = self._session(features, 0)
        for number, mask in enumerate(masks):
            session.add_mask_inputs(session.obj_id_to_idx(number), 0, mask[None, None].to(self._device))
        session.obj_with_new_inputs = list(range(len(masks)))
        self._look(session, 0)
        return [_kept(session, number, "cond_frame_outputs", 0) for number in range(len(masks))]

    def track(self, features: Sam2Features, memories: Sequence[Sequence[ObjectMemory]]) -> Tracked:
        """Find N objects on one more frame.

        Args:
            features: Of that frame.
            memories: What is remembered of each object, the oldest frame first; of at least one frame each.
        """
        present = max(map(len, memories))
        session = self._session(features, present)
        for number, frames in enumerate(memories):
            self._put(session, session.obj_id_to_idx(number), frames, present)
        outputs = self._look(session, present)
        return Tracked(
            outputs.pred_masks.float().flatten(0, 1),
            outputs.object_score_logits.float().flatten(),
            [_kept(session, number, "non_cond_frame_outputs", present) for number in range(len(memories))],
        )

    def _session(self, features: Sam2Features, index: int) -> Any:
        """One that knows the features of its frame, so that it never encodes."""
        session = self._session_class(
            inference_device=self._device, inference_state_device=self._device, dtype=torch.float32
        )
        known = {"vision_feats": features.maps, "vision_pos_embeds": features.positions}
        session.cache.cache_vision_features(index, known)
        return session

    def _put(self, session: Any, place: int, frames: Sequence[ObjectMemory], present: int) -> None:
        """Remember an object's frames as the last ones before the present; one at least has to be conditioning."""
        first = present - len(frames)
        any_conditioning = any(one.is_conditioning for one in frames)
        for at, one in enumerate(frames):
            is_conditioning = one.is_conditioning or (at == 0 and not any_conditioning)
            session.store_output(
                place, first + at, output_value=dict(one.outputs), is_conditioning_frame=is_conditioning
            )

    def _look(self, session: Any, index: int) -> Any:
        """A streamed frame, whose pixels nobody asks for: its features are there."""
        return self._model(session, frame_idx=index, frame=torch.empty(0))


def _kept(session: Any, place: int, kind: str, index: int) -> ObjectMemory:
    stored = session.output_dict_per_obj[place][kind][index]
    return ObjectMemory({name: stored[name].clone() for name in KEPT}, kind == "cond_frame_outputs")
