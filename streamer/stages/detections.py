"""Detections: a detector looks every N frames for what was said in words; the tracker follows what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.data.detection import Detection, phrases_of
from streamer.data.frame import Frame
from streamer.data.part import Part
from streamer.data.reason import Reason
from streamer.data.track import State, Track
from streamer.models.protocols import Detector
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.stages.carrying import carry
from streamer.stages.masks import MasksStage
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Job, Situation, due_at_interval
from streamer.stages.refused import Refused
from streamer.tracking.association import associate, is_same

DENIALS = 3
"""Looks in a row that do not find a followed thing, after which it is uncertain that it is what it is called."""
SURE = 0.6
"""Score below which what is new is uncertain until a second look finds it: near their thresholds detectors guess."""
MAX_DETECTIONS = 50
"""Of one look, the surest."""
MAX_LOST = 20
"""Lost objects that are looked for still; of more, those found first are forgotten, so that long runs stay bounded."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What one look brought back, and for which phrases."""

    detections: Sequence[Detection]
    phrases: tuple[str, ...]


class DetectionsStage:
    """Looks of a detector, and what they mean for what is followed.

    A detection that overlaps a track of its label bears it out; any other becomes a new track. Where a track of its
    label is lost, the tracker has until the next look to recognize it there, so that what comes back keeps its number.
    What a person deletes does not come back, unless it was out of sight.

    Args:
        detector: Gives the detector, loaded at the first look, on the thread where that runs.
        masks: Follows what is found.
        schedule: When it looks.
        read: The phrases of a text; raises `PromptError` for those that the detector cannot look for.
    """

    name = "detections"
    immediate = False
    image_call = None

    def __init__(
        self,
        detector: Callable[[], Detector],
        masks: MasksStage,
        schedule: ScheduleParameters,
        read: Callable[[str | Sequence[str]], tuple[str, ...]] = phrases_of,
    ) -> None:
        self._detector, self._masks, self._schedule, self._read = detector, masks, schedule, read
        self._phrases: tuple[str, ...] = ()
        self._is_new = False
        self._come: tuple[_Look, Anchor] | None = None
        self._anchor: Anchor | None = None
        self._found: dict[int, Track | None] = {}  # as shown last; None before that
        self._refused = Refused()
        self._denials: Counter[int] = Counter()
        self._unexplained: list[Detection] = []
        self._unexplained_at: Anchor | None = None

    @property
    def phrases(self) -> tuple[str, ...]:
        """What is looked for."""
        return self._phrases

    def look_for(self, text: str | Sequence[str]) -> None:
        """From the next frame on look for these phrases, "person; red ball", beside those that were said before.

        Raises:
            PromptError: A phrase is empty, very long or not known to the detector, or there are very many.
        """
        self._phrases = phrases_of([*self._phrases, *self._read(text)])
        self._is_new = True

    def forget(self) -> None:
        """Look for nothing any more, and follow nothing that was found by words."""
        self._phrases = ()
        for object_id in self._found:
            self._masks.remove(object_id, undoable=False)
        self._found.clear()
        self.start_scene()

    def propagate(self, motion: Motion) -> None:
        """Carried when an answer has come; from then on the tracker does."""

    def start_scene(self) -> None:
        self._come = self._anchor = self._unexplained_at = None
        self._unexplained.clear()
        self._denials.clear()
        self._refused.forget()
        self._masks.doubt(())

    def due(self, situation: Situation) -> Reason | None:
        if not self._phrases:
            return None
        if self._is_new and not situation.calm and not (situation.held and situation.last_index == situation.index):
            return Reason.PROMPT
        return due_at_interval(situation, self._schedule.detection_interval)

    def job(self, frame: Frame, motion: Motion) -> Job[_Look]:
        self._is_new = False
        image, phrases, detector = frame.image_rgb, self._phrases, self._detector
        return Job(lambda: _Look(detector().detect(image, phrases)[:MAX_DETECTIONS], phrases), motion.open())

    def adopt(self, answer: _Look, anchor: Anchor) -> None:
        self._come, self._anchor = (answer, anchor), anchor

    def at(self, motion: Motion) -> Part:
        self._notice_deletions(motion)
        if self._come is not None:
            (look, anchor), self._come = self._come, None
            self._take_in(look, anchor, motion)
        if not self._phrases:
            return Part()
        age = None if self._anchor is None else motion.index - self._anchor.index
        return Part(age, values={"phrases": list(self._phrases)})

    def _notice_deletions(self, motion: Motion) -> None:
        shown = {track.id: track for track in self._masks.tracks}
        self._found |= dict.fromkeys(self._refused.take_back(shown))
        for object_id, before in list(self._found.items()):
            if object_id in shown:
                self._found[object_id] = shown[object_id]
            elif before is not None:
                self._refused.add(before, motion)
                del self._found[object_id]

    def _take_in(self, look: _Look, anchor: Anchor, motion: Motion) -> None:
        detections = [
            carried
            for detection in look.detections
            if detection.label in self._phrases and (carried := carry(detection, anchor)) is not None
        ]
        detections = self._refused.left(detections, motion)
        tracks = self._masks.tracks
        asked = [track for track in tracks if track.label in look.phrases]
        association = associate(detections, asked, [track for track in tracks if track.label not in look.phrases])
        for object_id, place in association.named.items():
            self._masks.name_object(object_id, detections[place].label)
        for object_id in association.confirmed:
            self._denials.pop(object_id, None)
        self._denials.update(object_id for object_id in association.denied if object_id in self._found)
        lost = {track.label for track in asked if track.state is State.LOST}
        waiting = []
        before = self._carried_unexplained()
        for detection in (detections[place] for place in association.new):
            if detection.label in lost and not any(is_same(detection, one) for one in before):
                waiting.append(detection)
            else:
                self._follow(detection, motion)
        self._unexplained, self._unexplained_at = waiting, motion.open() if waiting else None
        self._forget_oldest_lost()
        self._masks.doubt(object_id for object_id, times in self._denials.items() if times >= DENIALS)

    def _follow(self, detection: Detection, motion: Motion) -> None:
        object_id = self._masks.prompt(detection.prompt(), motion, undoable=False)
        self._found[object_id] = None
        if detection.score < SURE:
            self._denials[object_id] = DENIALS

    def _carried_unexplained(self) -> list[Detection]:
        anchor = self._unexplained_at
        if anchor is None:
            return []
        return [carried for one in self._unexplained if (carried := carry(one, anchor)) is not None]

    def _forget_oldest_lost(self) -> None:
        lost = [track.id for track in self._masks.tracks if track.state is State.LOST and track.id in self._found]
        for object_id in sorted(lost)[:-MAX_LOST]:
            self._masks.remove(object_id, undoable=False)
            del self._found[object_id]
