"""Interim FlowTracker until the tracker is rebuilt."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from streamer.data.reason import Reason
from streamer.models.image_call import ImageCall
from streamer.tracking.flow_tracker import Asking, Beliefs, Tracker, Worries, ask
from streamer.tracking.protocol import TrackedMask


@dataclass
class Seen:
    embedding: Any
    answers: list
    found: list
    timings_ms: dict


class FlowTracker(Tracker):
    def __init__(self, segmenter, tracking):
        super().__init__(
            tracking.positives,
            tracking.negatives,
            tracking.refine,
            tracking.redetect,
            tracking.glimpse,
            Beliefs(
                accept=tracking.accept,
                reject=tracking.reject,
                drift=tracking.drift,
                likeness=tracking.likeness,
                confirmations=tracking.confirmations,
            ),
            Worries() if tracking.trouble else Worries.none(),
        )
        self._segmenter = segmenter
        self._asking = Asking(
            tracking.passes,
            tracking.use_box,
            tracking.use_mask,
            tracking.stability,
            tracking.agreement,
            tracking.motion,
        )
        self._embedding = None
        self._corrected = {}
        self.image_call = ImageCall(
            lambda images: [segmenter.encode(images[0])] if len(images) == 1 else segmenter.encode_batch(images), 4
        )

    def _say(self, prompt, motion):
        return self.add(prompt, motion)

    add_points_or_box = add_mask = _say
    remove_object = Tracker.remove

    def start_scene(self, keep_found):
        self.forget_masks()
        if not keep_found:
            self.forget_found()
        self._embedding = None

    def propagate(self, motion):
        self.advance(motion)
        self.trouble = None if self.trouble is None else Reason(self.trouble)

    def keyframe(self, image, motion, find):
        questions, image_grid, grid, asking = (
            self.questions(motion),
            motion.present.image_rgb,
            motion.grid,
            self._asking,
        )

        def call():
            start = time.perf_counter()
            embedding = self.image_call(image)
            encoded = time.perf_counter()
            found = self._segmenter.find(embedding, find) if find else []
            answers = ask(self._segmenter, embedding, questions, image_grid, grid, asking)
            end = time.perf_counter()
            return Seen(embedding, answers, found, {"encode": (encoded - start) * 1e3, "decode": (end - encoded) * 1e3})

        return call

    def corrections(self):
        if self._embedding is None:
            return None
        embedding, anchor = self._embedding
        versions = {item.id: item.version for item in self._objects.values()}
        if versions == self._corrected:
            return None
        self._corrected = versions
        questions = super().corrections(anchor)
        if not questions:
            return None
        image_grid, grid, asking = anchor.pyramid.image_rgb, anchor.grid, self._asking
        segmenter = self._segmenter

        def call():
            start = time.perf_counter()
            answers = ask(segmenter, embedding, questions, image_grid, grid, asking)
            return Seen(None, answers, [], {"click": (time.perf_counter() - start) * 1e3})

        return call, anchor

    def adopt(self, seen, anchor):
        if seen.embedding is not None:
            self._embedding = seen.embedding, anchor
        for found in seen.found:
            self.add_found(found.mask, found.score, anchor)
        super().adopt(seen.answers, anchor)
        return [answer.question.object_id for answer in seen.answers if not answer.question.spoken]

    def masks(self, motion, inverse_depth=None):
        return [
            TrackedMask(s.object_id, s.soft, s.score, s.state, s.point_coords, s.point_labels)
            for s in self.sights(motion, inverse_depth)
        ]
