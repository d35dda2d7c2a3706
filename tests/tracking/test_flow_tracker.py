import numpy as np
import pytest

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.tracking.flow_tracker import INSIDE, Beliefs, Tracker, ask
from tests.fake_models import ColorSegmenter, moving_scene


class Stage:
    """A tracker on the moving scene, with keyframes when the test says so."""

    def __init__(self, **settings):
        self.motion, self.tracker, self.segmenter = (
            Motion(FlowParameters(max_side_px=320)),
            Tracker(**settings),
            ColorSegmenter(),
        )
        self.index = -1
        self.step()

    def step(self, count=1):
        for _ in range(count):
            self.index += 1
            self.image, self.labels = moving_scene(self.index)
            self.motion.advance(self.index, self.image)
            self.tracker.advance(self.motion)

    def ask(self):
        questions = self.tracker.questions(self.motion)
        return ask(
            self.segmenter,
            self.segmenter.encode(self.image),
            questions,
            self.motion.present.image_rgb,
            self.motion.grid,
        )

    def keyframe(self):
        self.tracker.adopt(self.ask(), self.motion.open())

    def iou(self, object_id, truth=None):
        truth = self.labels == object_id if truth is None else truth
        mask = next(sight.soft for sight in self.tracker.sights(self.motion) if sight.object_id == object_id) > INSIDE
        return (mask & truth).sum() / (mask | truth).sum()

    def state(self, object_id):
        return next(sight.state for sight in self.tracker.sights(self.motion) if sight.object_id == object_id)

    def score(self, object_id):
        return next(sight.score for sight in self.tracker.sights(self.motion) if sight.object_id == object_id)


BALL, BOX = Prompt([(60, 80)], [1], object_id=1), Prompt(box=(230, 120, 280, 180), object_id=2)


def test_a_click_and_a_box_become_objects_that_are_followed():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.tracker.add(BOX, stage.motion)
    assert stage.tracker.unanswered
    stage.keyframe()
    assert not stage.tracker.unanswered
    assert stage.iou(1) > 0.9
    stage.step(8)
    assert stage.iou(1) > 0.8
    assert stage.iou(2) > 0.8
    stage.keyframe()
    assert stage.iou(1) > 0.9
    assert stage.state(1) is State.TRACKED
    assert stage.tracker.mask_age == 0


def test_ids_are_given_out_in_order_when_the_prompt_names_none():
    stage = Stage()
    assert [stage.tracker.add(Prompt([(60, 80)]), stage.motion) for _ in range(2)] == [1, 2]
    assert stage.tracker.add(Prompt([(60, 80)], object_id=7), stage.motion) == 7
    assert stage.tracker.add(Prompt([(60, 80)]), stage.motion) == 8


def test_a_mask_that_was_given_is_taken_as_it_is():
    stage = Stage()
    stage.tracker.add(Prompt(mask=stage.labels == 1, object_id=1), stage.motion)
    assert not stage.tracker.unanswered
    assert stage.iou(1) > 0.97
    assert stage.state(1) is State.TRACKED


@pytest.mark.parametrize("frames", [4, 5, 10])
def test_a_mask_that_was_given_gives_way_to_an_answer_on_a_later_frame(frames):
    stage = Stage()
    stage.tracker.add(Prompt(mask=stage.labels == 1, object_id=1), stage.motion)
    stage.keyframe()
    stage.step(frames)
    assert stage.tracker.mask_age == frames
    stage.keyframe()
    assert stage.tracker.mask_age == 0


def test_a_wrong_answer_does_not_replace_a_good_mask_and_three_in_a_row_lose_the_object():
    stage = Stage(beliefs=Beliefs(lost_after=3), redetect=False, glimpse=False)
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.segmenter.wrong = True
    for expected in (State.UNCERTAIN, State.UNCERTAIN, State.LOST):
        stage.step(2)
        stage.keyframe()
        assert stage.state(1) is expected
        if expected is State.UNCERTAIN:
            assert stage.iou(1) > 0.75
    assert stage.iou(1) == 0


def test_a_person_is_believed_even_when_the_mask_changes_altogether():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.undo()
    assert len(stage.tracker) == 0
    stage.tracker.add(Prompt([(250, 150)], object_id=1), stage.motion)
    stage.keyframe()
    assert stage.iou(1, stage.labels == 2) > 0.9


def test_an_answer_to_an_old_question_is_ignored():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    questions = stage.tracker.questions(stage.motion)
    answers = ask(
        stage.segmenter,
        stage.segmenter.encode(stage.image),
        questions,
        stage.motion.present.image_rgb,
        stage.motion.grid,
    )
    stage.tracker.add(Prompt([(61, 80)], object_id=1), stage.motion)
    stage.tracker.adopt(answers, stage.motion.open())
    assert stage.tracker.unanswered
    assert stage.iou(1) == 0


def test_corrections_are_asked_on_the_frame_whose_embedding_is_at_hand():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    embedding, anchor = stage.segmenter.encode(stage.image), stage.motion.open()
    stage.step(6)
    box_now = np.float32([250, 156])
    stage.tracker.add(Prompt([box_now], object_id=2), stage.motion)
    (question,) = stage.tracker.corrections(anchor)
    assert question.prompt.point_coords[0] == pytest.approx(box_now - (0, 6), abs=1.5)
    stage.tracker.adopt(ask(stage.segmenter, embedding, [question], anchor.pyramid.image_rgb, anchor.grid), anchor)
    assert stage.iou(2) > 0.85


def test_undo_takes_back_the_last_click_only():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.tracker.add(Prompt([(62, 82)], [0], object_id=1), stage.motion)
    stage.tracker.undo()
    (sight,) = stage.tracker.sights(stage.motion)
    assert sight.point_coords.tolist() == [[60, 80]]
    stage.tracker.undo()
    stage.tracker.undo()
    assert len(stage.tracker) == 0


def test_masks_never_overlap():
    stage = Stage()
    whole = np.ones_like(stage.labels, bool)
    stage.tracker.add(Prompt(mask=whole, object_id=1), stage.motion)
    stage.tracker.add(Prompt(mask=stage.labels == 1, object_id=2), stage.motion)
    first, second = (sight.soft > INSIDE for sight in stage.tracker.sights(stage.motion))
    assert not (first & second).any()
    assert (first | second).all()


def test_after_a_scene_cut_every_object_is_lost_but_stays():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.forget_masks()
    assert stage.state(1) is State.LOST
    assert stage.iou(1) == 0
    (question,) = stage.tracker.questions(stage.motion)
    assert question.prompt is None
    assert len(question.bank) == 1
    assert question.others.rivals == ()
    assert not question.others.taken.any()


def test_a_lost_object_is_shown_again_after_two_keyframes_that_agree():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.forget_masks()
    stage.step(2)
    stage.keyframe()
    assert stage.state(1) is State.LOST
    assert stage.iou(1) == 0
    assert stage.tracker.mask_age is None
    stage.step(2)
    assert stage.tracker.trouble == "found again?"
    stage.keyframe()
    assert stage.state(1) is State.TRACKED
    assert stage.iou(1) > 0.8


def test_what_one_keyframe_saw_of_a_lost_object_is_shown_if_it_is_still_there_three_frames_later():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.forget_masks()
    stage.step(2)
    stage.keyframe()
    for state in (State.LOST, State.LOST, State.TRACKED):
        stage.step()
        assert stage.state(1) is state
    assert stage.tracker.mask_age == 3
    assert stage.iou(1) > 0.8


def test_a_late_answer_about_a_lost_object_is_believed_on_the_next_frame_if_it_is_still_true():
    stage = Stage(glimpse=False)
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.forget_masks()
    answers, anchor = stage.ask(), stage.motion.open()
    stage.step(6)
    stage.tracker.adopt(answers, anchor)
    assert stage.state(1) is State.LOST
    stage.step()
    assert stage.state(1) is State.TRACKED
    assert stage.iou(1) > 0.8


def test_a_late_answer_is_as_worn_as_what_was_carried_for_so_long():
    scores = []
    for late in (False, True):
        stage = Stage()
        stage.tracker.add(BALL, stage.motion)
        answers, anchor = stage.ask(), stage.motion.open()
        if not late:
            stage.tracker.adopt(answers, anchor)
        stage.step(8)
        if late:
            stage.tracker.adopt(answers, anchor)
        scores.append(stage.score(1))
    assert scores[0] == pytest.approx(scores[1])
    assert scores[0] < answers[0].score


def test_what_was_carried_for_long_is_looked_for_everywhere():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.step(8)
    assert stage.tracker.questions(stage.motion)[0].sought is False
    stage.step(30)
    (question,) = stage.tracker.questions(stage.motion)
    assert question.sought
    assert question.prompt is not None


def test_an_object_that_is_not_there_is_not_found():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.forget_masks()
    for _ in range(4):
        stage.step()
        gone = stage.image.copy()
        gone[stage.labels == 1] = (70, 0, 90)
        questions = stage.tracker.questions(stage.motion)
        answers = ask(
            stage.segmenter, stage.segmenter.encode(gone), questions, stage.motion.present.image_rgb, stage.motion.grid
        )
        stage.tracker.adopt(answers, stage.motion.open())
        assert stage.state(1) is State.LOST


def test_an_object_that_leaves_the_frame_is_lost():
    stage = Stage()
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    for _ in range(150):
        stage.step()
        if stage.state(1) is State.LOST:
            break
    assert stage.state(1) is State.LOST
    assert not (stage.labels == 1).sum() > 600


def test_what_left_the_frame_while_its_answer_was_under_way_is_looked_for():
    stage = Stage(glimpse=False)
    stage.tracker.add(BOX, stage.motion)
    stage.keyframe()
    (box,) = stage.tracker._objects.values()
    box.place(np.zeros_like(box.soft), stage.motion.open())
    (question,) = stage.tracker.questions(stage.motion)
    assert (question.prompt, question.sought) == (None, True)
    stage.keyframe()
    assert stage.state(2) is State.LOST
    stage.keyframe()
    assert stage.state(2) is State.TRACKED
