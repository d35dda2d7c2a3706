from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.track import State
from streamer.tracking.memory_tracker import MemoryTracker
from streamer.tracking.parameters import MAX_REMOVED, MemoryParameters, TrackingParameters
from streamer.tracking.soft_masks import INSIDE
from tests.fake_models import ColorSegmenter, moving_scene
from tests.tracking.fakes import Stage

BALL, BOX = Prompt([(60, 80)], [1], object_id=1), Prompt(box=(230, 120, 280, 180), object_id=2)


def test_a_click_and_a_box_become_objects_that_are_followed():
    stage = Stage()
    stage.say(BALL)
    stage.say(BOX)
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
    assert [stage.say(Prompt([(60, 80)])) for _ in range(2)] == [1, 2]
    assert stage.say(Prompt([(60, 80)], object_id=7)) == 7
    assert stage.say(Prompt([(60, 80)])) == 8


def test_a_mask_that_was_given_is_taken_as_it_is():
    stage = Stage()
    stage.say(Prompt(mask=stage.labels == 1, object_id=1))
    assert stage.tracker.unanswered, "it is to be remembered"
    assert stage.tracker.corrections() is None, "there is nothing to ask SAM"
    assert stage.iou(1) > 0.97
    assert stage.state(1) is State.TRACKED


@pytest.mark.parametrize("frames", [4, 5, 10])
def test_a_mask_that_was_given_gives_way_to_an_answer_on_a_later_frame(frames):
    stage = Stage()
    stage.say(Prompt(mask=stage.labels == 1, object_id=1))
    stage.keyframe()
    stage.step(frames)
    assert stage.tracker.mask_age == frames
    stage.keyframe()
    assert stage.tracker.mask_age == 0


def test_a_person_is_believed_even_when_the_mask_changes_altogether():
    stage = Stage()
    stage.say(BALL)
    stage.keyframe()
    stage.tracker.undo()
    assert len(stage.tracker) == 0
    stage.say(Prompt([(250, 150)], object_id=1))
    stage.keyframe()
    assert stage.iou(1, stage.labels == 2) > 0.9


def test_an_answer_to_an_old_question_is_ignored():
    stage = Stage()
    stage.say(BALL)
    answer = stage.ask()
    stage.say(Prompt([(61, 80)], object_id=1))
    stage.tracker.adopt(answer, stage.motion.open())
    assert stage.tracker.unanswered
    assert stage.iou(1) == 0


def test_corrections_are_asked_on_the_frame_whose_embedding_is_at_hand():
    stage = Stage()
    stage.say(BALL)
    stage.keyframe()
    encoded = stage.segmenter.encoded
    stage.step(6)
    box_now = np.float32([250, 156])
    stage.say(Prompt([box_now], object_id=2))
    call, anchor = stage.tracker.corrections()
    answer = call()
    (clicked,) = answer.clicked
    assert clicked.request.prompt.point_coords[0] == pytest.approx(box_now - (0, 6), abs=1.5)
    assert list(answer.timings_ms) == ["click"]
    assert not stage.tracker.adopt(answer, anchor), "a person has asked for it"
    assert stage.iou(2) > 0.85
    assert stage.segmenter.encoded == encoded


def test_what_was_said_is_corrected_once_and_asked_about_on_the_next_keyframe_as_well():
    stage = Stage()
    stage.say(BALL)
    assert stage.tracker.corrections() is None, "there is no embedding yet"
    stage.keyframe()
    assert stage.tracker.corrections() is None, "nothing has been said since"
    stage.say(BOX)
    call, anchor = stage.tracker.corrections()
    stage.tracker.adopt(call(), anchor)
    assert stage.tracker.corrections() is None
    assert stage.tracker.unanswered
    stage.keyframe()
    assert not stage.tracker.unanswered
    stage.cut()
    stage.say(Prompt([(62, 82)], object_id=1))
    assert stage.tracker.corrections() is None, "the embedding is of another scene"


def test_what_nobody_pointed_out_is_found_and_goes_with_its_scene_unless_it_is_spoken_of():
    stage = Stage()
    stage.keyframe(find=2)
    assert [mask.object_id for mask in stage.tracker.masks(stage.motion)] == [1, 2]
    stage.say(Prompt([(60, 80)], object_id=2))
    stage.cut(keep_found=False)
    assert [mask.object_id for mask in stage.tracker.masks(stage.motion)] == [2]
    assert stage.say(Prompt([(60, 80)])) == 3


def test_undo_takes_back_the_last_click_only():
    stage = Stage()
    stage.say(BALL)
    stage.say(Prompt([(62, 82)], [0], object_id=1))
    stage.tracker.undo()
    (mask,) = stage.tracker.masks(stage.motion)
    assert mask.point_coords.tolist() == [[60, 80]]
    stage.tracker.undo()
    stage.tracker.undo()
    assert len(stage.tracker) == 0


def test_masks_never_overlap():
    stage = Stage()
    whole = np.ones_like(stage.labels, bool)
    stage.say(Prompt(mask=whole, object_id=1))
    stage.say(Prompt(mask=stage.labels == 1, object_id=2))
    first, second = (mask.soft_mask > INSIDE for mask in stage.tracker.masks(stage.motion))
    assert not (first & second).any()
    assert (first | second).all()


def test_after_a_scene_cut_every_object_is_lost_until_the_memory_knows_it_again():
    stage = tracked(BALL)
    stage.cut()
    assert stage.state(1) is State.LOST
    assert stage.iou(1) == 0
    assert stage.tracker.mask_age is None
    stage.step(2)
    stage.keyframe()
    assert stage.state(1) is State.TRACKED
    assert stage.iou(1) > 0.8


def test_what_the_memory_does_not_see_is_lost():
    stage = tracked(BALL, BOX)
    stage.step()
    gone = stage.image.copy()
    gone[stage.labels == 1] = (70, 0, 90)
    stage.keyframe(image=gone)
    assert stage.state(1) is State.LOST
    assert stage.score(1) == 0
    assert stage.state(2) is State.TRACKED


def with_a_twin(stage):
    """The picture with a block that has the color of object 1, and the mask of both."""
    image, both = stage.image.copy(), stage.labels == 1
    image[20:70, 250:300] = image[both][0]
    both[20:70, 250:300] = True
    return image, both


def test_what_has_taken_another_thing_along_is_worth_less():
    stage = tracked(BALL)
    stage.step()
    stage.keyframe(image=with_a_twin(stage)[0])
    assert stage.iou(1, with_a_twin(stage)[1]) > 0.8
    assert stage.state(1) is State.UNCERTAIN


def test_what_was_in_two_pieces_when_a_person_said_so_is_worth_as_much_in_two():
    stage = Stage()
    image, both = with_a_twin(stage)
    stage.say(Prompt(mask=both, object_id=1))
    stage.keyframe(image=image)
    stage.step()
    image, both = with_a_twin(stage)
    stage.keyframe(image=image)
    assert stage.iou(1, both) > 0.8
    assert stage.state(1) is State.TRACKED


def test_a_click_on_a_lost_object_says_anew_what_it_is():
    stage = tracked(BALL)
    stage.cut()
    stage.say(Prompt([(250, 150)], object_id=1))
    stage.keyframe()
    assert stage.iou(1, stage.labels == 2) > 0.9
    stage.step(3)
    stage.keyframe()
    assert stage.iou(1, stage.labels == 2) > 0.9, "the memory has learnt it"


def test_a_click_on_the_background_takes_away_no_more_than_what_was_clicked():
    stage = Stage()
    stage.say(Prompt(mask=stage.labels > 0, object_id=1))
    stage.keyframe()
    stage.say(Prompt([(250, 150)], [0], object_id=1))
    call, anchor = stage.tracker.corrections()
    stage.tracker.adopt(call(), anchor)
    assert stage.iou(1) > 0.9
    stage.keyframe()
    assert stage.iou(1) > 0.9


def test_a_level_asks_again_about_the_same_clicks():
    stage = tracked(BALL)
    stage.say(Prompt(object_id=1, mask_level="object"))
    assert stage.tracker.unanswered
    stage.keyframe()
    assert stage.iou(1, np.ones_like(stage.labels, bool)) > 0.9, "the largest of the masks"
    stage.say(Prompt(object_id=1, mask_level="auto"))
    stage.keyframe()
    assert stage.iou(1) > 0.9


def test_what_was_corrected_is_not_remembered_as_it_was_before():
    stage = tracked(BALL)
    for _ in range(3):
        stage.step(2)
        stage.keyframe()
    assert len(stage.tracker._bank.memories) == 4
    stage.say(Prompt([(250, 150 + stage.index)], object_id=1))
    stage.keyframe()
    assert len(stage.tracker._bank.memories) == 2, "what a person said first and now"


def scores_in_time_and_late(parameters):
    scores = []
    for late in (False, True):
        stage = Stage(parameters)
        stage.say(BALL)
        answers, anchor = stage.ask(), stage.motion.open()
        if not late:
            stage.tracker.adopt(answers, anchor)
        stage.step(8)
        if late:
            stage.tracker.adopt(answers, anchor)
        scores.append(stage.score(1))
    return *scores, answers.clicked[0].predicted_iou


def test_a_late_answer_is_as_worn_as_what_was_carried_for_so_long():
    in_time, late, predicted_iou = scores_in_time_and_late(TrackingParameters(refinement=False))
    assert in_time == pytest.approx(late)
    assert in_time < predicted_iou


def test_a_late_answer_that_is_mended_is_about_as_worn():
    in_time, late, predicted_iou = scores_in_time_and_late(TrackingParameters())
    assert in_time == pytest.approx(late, abs=0.1)
    assert max(in_time, late) <= predicted_iou


def test_an_object_that_is_not_there_is_not_found():
    stage = Stage()
    stage.say(BALL)
    stage.keyframe()
    stage.cut()
    for _ in range(4):
        stage.step()
        gone = stage.image.copy()
        gone[stage.labels == 1] = (70, 0, 90)
        stage.keyframe(image=gone)
        assert stage.state(1) is State.LOST


def test_an_object_that_leaves_the_frame_is_lost():
    stage = Stage()
    stage.say(BALL)
    stage.keyframe()
    for _ in range(150):
        stage.step()
        if stage.state(1) is State.LOST:
            break
    assert stage.state(1) is State.LOST
    assert not (stage.labels == 1).sum() > 600


# Undo of a removal


def tracked(*prompts, **settings):
    stage = Stage(**settings)
    for prompt in prompts:
        stage.say(prompt)
    stage.keyframe()
    return stage


def test_an_object_that_was_removed_comes_back_whole_and_is_followed_again():
    stage = tracked(BALL, BOX)
    stage.step(2)
    stage.tracker.remove_object(1)
    assert [mask.object_id for mask in stage.tracker.masks(stage.motion)] == [2]
    stage.step(4)
    stage.tracker.undo()
    assert stage.iou(1) > 0.8
    (click,) = stage.mask(1).point_coords
    assert click == pytest.approx((60 + 3 * stage.index, 80), abs=2), "its clicks went with it"
    stage.step(5)
    assert stage.iou(1) > 0.75
    assert stage.state(1) is State.TRACKED
    stage.keyframe()
    assert stage.iou(1) > 0.9


def test_what_comes_back_is_as_worn_as_if_it_had_never_been_away():
    scores = []
    for away in (False, True):
        stage = tracked(BALL)
        if away:
            stage.tracker.remove_object(1)
        stage.step(4)
        if away:
            stage.tracker.undo()
        stage.step()
        scores.append(stage.score(1))
    assert scores[0] == pytest.approx(scores[1])


def test_undo_after_a_removal_takes_back_the_removal_and_only_then_what_was_said_before():
    stage = tracked(BALL, BOX)
    stage.say(Prompt([(62, 82)], [0], object_id=1))
    stage.tracker.remove_object(2)
    stage.tracker.undo()
    assert len(stage.tracker) == 2
    assert len(stage.mask(1).point_coords) == 2
    stage.tracker.undo()
    assert len(stage.mask(1).point_coords) == 1
    stage.tracker.undo()
    assert [mask.object_id for mask in stage.tracker.masks(stage.motion)] == [1]


def test_removals_come_back_in_turn_and_a_found_object_as_well():
    stage = Stage()
    stage.keyframe(find=2)
    stage.tracker.remove_object(1)
    stage.tracker.remove_object(7)  # there is none
    stage.tracker.remove_object(2)
    assert len(stage.tracker) == 0
    stage.tracker.undo()
    assert [mask.object_id for mask in stage.tracker.masks(stage.motion)] == [2]
    stage.tracker.undo()
    assert len(stage.tracker) == 2
    stage.tracker.undo()
    assert len(stage.tracker) == 2


def test_an_id_that_is_used_again_after_a_removal_belongs_to_one_object_at_a_time():
    stage = tracked(BALL)
    stage.tracker.remove_object(1)
    stage.say(Prompt([(250, 150)], object_id=1))
    stage.keyframe()
    assert stage.iou(1, stage.labels == 2) > 0.9
    stage.tracker.undo()
    assert len(stage.tracker) == 0
    stage.tracker.undo()
    assert stage.iou(1) > 0.9
    stage.keyframe()
    stage.step(4)
    stage.keyframe()
    assert stage.iou(1) > 0.9, "and it is remembered as what it is"


def test_what_is_gone_for_good_is_not_remembered():
    stage = Stage()
    for _ in range(5):
        stage.keyframe(find=2)
        stage.cut(keep_found=False)
        stage.step()
    stage.keyframe()
    assert stage.tracker._bank.memories == ()


def test_what_was_removed_in_the_scene_before_comes_back_lost_and_what_was_only_found_there_not_at_all():
    stage = Stage()
    stage.keyframe(find=1)
    stage.say(Prompt([(60, 80)], object_id=2))
    stage.keyframe()
    stage.tracker.remove_object(1)
    stage.tracker.remove_object(2)
    stage.cut(keep_found=False)
    stage.tracker.undo()
    assert [(mask.object_id, mask.state) for mask in stage.tracker.masks(stage.motion)] == [(2, State.LOST)]
    stage.tracker.undo()
    assert len(stage.tracker) == 0, "next, what was said about it"


def test_what_was_removed_before_its_answer_came_is_asked_about_again_when_it_is_back():
    stage = Stage()
    stage.say(BALL)
    answer, anchor = stage.ask(), stage.motion.open()
    stage.tracker.remove_object(1)
    stage.tracker.adopt(answer, anchor)
    stage.tracker.undo()
    assert stage.tracker.unanswered
    stage.keyframe()
    assert stage.iou(1) > 0.9


def test_only_so_many_removed_objects_are_kept():
    stage = Stage()
    for object_id in range(1, MAX_REMOVED + 4):
        stage.say(Prompt([(60, 80)], object_id=object_id))
        stage.tracker.remove_object(object_id)
    for _ in range(3 * MAX_REMOVED):
        stage.tracker.undo()
    assert len(stage.tracker) == 0


def test_keyframes_to_come_are_encoded_together(monkeypatch):
    segmenter, images, together = ColorSegmenter(), [moving_scene(index)[0] for index in range(4)], []
    encode_batch = segmenter.encode_batch
    monkeypatch.setattr(segmenter, "encode_batch", lambda batch: together.append(len(batch)) or encode_batch(batch))
    tracker = MemoryTracker(segmenter)
    with ThreadPoolExecutor(1) as thread:
        tracker.image_call.begin(images, thread, batch_size=4)
        tracker.image_call(images[3])
    assert together == [4]


def test_a_keyframe_asks_about_so_many_objects_and_the_others_have_their_turn(monkeypatch):
    stage = Stage(TrackingParameters(memory=MemoryParameters(at_once=1)))
    asked = []
    recall = stage.segmenter.memory.recall

    def told(embedding, memories, object_ids, carried, size):
        asked.append((list(object_ids), sorted(carried)))
        return recall(embedding, memories, object_ids, carried, size)

    monkeypatch.setattr(stage.segmenter.memory, "recall", told)
    stage.say(BALL)
    stage.say(BOX)
    for _ in range(5):
        stage.keyframe()
        stage.step(2)
    assert [ids for ids, _ in asked] == [[1], [2], [1], [2]]
    assert all(beside == [1, 2] for _, beside in asked), "what waits is in the way all the same"
    assert stage.iou(1) > 0.8
    assert stage.iou(2) > 0.8
    assert stage.tracker.mask_age == 4
    assert all(0 not in memory.values for memory in stage.tracker._bank.memories)


def test_an_object_in_trouble_goes_first_and_nobody_waits_for_ever(monkeypatch):
    stage = Stage(TrackingParameters(memory=MemoryParameters(at_once=1)))
    asked = []
    recall = stage.segmenter.memory.recall
    monkeypatch.setattr(stage.segmenter.memory, "recall", lambda *given: (asked.extend(given[2]), recall(*given))[1])
    stage.say(BALL)
    stage.say(BOX)
    trouble = {1: Reason.LOOKS_DIFFERENT}
    monkeypatch.setattr(stage.tracker, "_trouble_with", lambda state: trouble.get(state.id))
    for _ in range(14):
        stage.keyframe()
        stage.step(2)
    assert asked.count(1) > 2 * asked.count(2) > 0
