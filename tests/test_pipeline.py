"""The loop: what comes out of it for what goes in, whenever models answer and whatever a person says meanwhile."""

import gc
import threading
from dataclasses import replace

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt
from streamer.errors import PromptError
from streamer.scheduling.threads import ThreadedWorkers
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene
from tests.pipelines import Gate, another_scene, build_pipeline, frame, iou


def test_every_frame_has_the_mask_of_what_was_clicked_and_a_depth_map():
    pipeline = build_pipeline(ColorSegmenter(), RedDepth())
    pipeline.prompt(Prompt([(60, 80)], [1]))
    keyframes, depth_runs = [], []
    for index in range(20):
        result = pipeline.process(frame(index))
        labels = moving_scene(index)[1]
        assert iou(result.tracks[0].mask, labels == 1) > 0.8
        assert result.tracks[0].mask.shape == labels.shape
        assert result.inverse_depth.shape == labels.shape
        assert result.inverse_depth.dtype == np.float32
        assert result.tracks[0].depth.median > np.median(result.inverse_depth)
        assert result.age_of("masks") == index - max([*keyframes, index] if result.reason_of("masks") else keyframes)
        keyframes += [index] if result.reason_of("masks") else []
        depth_runs += [index] if result.reason_of("depth") else []
    assert keyframes == [0, 5, 10, 15]
    assert depth_runs == [0, 4, 8, 12, 16]
    assert result.reason_of("masks") is None
    assert {"flow", "carry"} <= set(result.timings_ms)


def test_a_stage_can_be_left_out():
    without_depth = build_pipeline(ColorSegmenter(), None)
    without_depth.prompt(Prompt([(60, 80)]))
    assert without_depth.process(frame(0)).inverse_depth is None
    without_masks = build_pipeline(None, RedDepth())
    result = without_masks.process(frame(0))
    assert result.tracks == ()
    assert result.inverse_depth is not None


def test_objects_are_found_when_nobody_says_what_to_follow():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.discover()
    result = pipeline.process(frame(0))
    assert result.reason_of("masks") == "discover"
    assert len(result.tracks) == 2
    assert max(iou(track.mask, moving_scene(0)[1] == 1) for track in result.tracks) > 0.9


def test_a_click_outside_the_frame_is_refused():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.prompt(Prompt([(900, 80)]))
    with pytest.raises(PromptError, match="900,80 lies outside the frame, which is 320x240"):
        pipeline.process(frame(0))
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.process(frame(0))
    with pytest.raises(PromptError):
        pipeline.prompt(Prompt([(-1, 80)]))


def test_a_failing_model_reaches_the_loop():
    class Broken(RedDepth):
        def estimate(self, image_rgb):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        build_pipeline(None, Broken()).process(frame(0))


def test_a_late_result_lands_where_the_object_is_now():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), gate)
    pipeline.prompt(Prompt([(60, 80)]))
    for index in range(12):
        result = pipeline.process(frame(index))
    assert not result.tracks[0].mask.any()
    gate.release("masks")
    gate.release("depth")
    result = pipeline.process(frame(12))
    assert iou(result.tracks[0].mask, moving_scene(12)[1] == 1) > 0.75
    assert result.age_of("masks") == 12
    assert result.age_of("depth") == 12


def click_while_it_encodes(pipeline, gate):
    """Object 1 is known since frame 0, the next keyframe is under way on frame 6, and then object 2 is clicked."""
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    gate.release("masks")
    for index in range(1, 7):
        pipeline.process(frame(index))
    assert not gate.ready("masks")
    pipeline.prompt(Prompt([(250, 156)], object_id=2))


def test_an_answer_about_an_object_deleted_meanwhile_does_not_bring_it_back():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), None, gate)
    click_while_it_encodes(pipeline, gate)
    gate.release("clicks")
    before = pipeline.process(frame(7))
    pipeline.remove(2)
    gate.release("masks")
    after = pipeline.process(frame(8))
    assert [track.id for track in before.tracks] == [1, 2]
    assert [track.id for track in after.tracks] == [1]


def test_depth_and_masks_may_come_in_any_order():
    for order in (("masks", "depth"), ("depth", "masks")):
        gate = Gate()
        pipeline = build_pipeline(ColorSegmenter(), RedDepth(), gate)
        pipeline.prompt(Prompt([(60, 80)]))
        for index in range(10):
            result = pipeline.process(frame(index))
            if index in (3, 6):
                gate.release(order[index == 6])
        assert (result.age_of("masks"), result.age_of("depth")) == (9, 9)
        assert iou(result.tracks[0].mask, moving_scene(9)[1] == 1) > 0.75
        assert result.tracks[0].depth is not None


def test_where_models_take_turns_a_frame_starts_one_of_them():
    gate = Gate(in_turns=("masks", "depth"))
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), gate)
    pipeline.prompt(Prompt([(60, 80)]))
    started = []
    for index in range(40):
        result = pipeline.process(frame(index))
        started += [name for name in ("masks", "depth") if result.reason_of(name)]
        assert len(gate.waiting) == 1
        if index % 8 == 7:
            gate.release(*gate.waiting)
    assert started == ["masks", "depth"] * 2 + ["masks"]


def test_a_stage_waits_only_if_it_is_due_and_another_one_has_its_turn():
    gate = Gate(in_turns=("masks", "depth"))
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), gate, keyframe_interval=20, depth_interval=4)
    assert pipeline.queues() == {"masks": "idle", "depth": "idle"}
    pipeline.prompt(Prompt([(60, 80)]))
    seen = []
    for index in range(7):
        pipeline.process(frame(index))
        seen.append(tuple(pipeline.queues().values()))
        if index in (1, 2):
            gate.release(*gate.waiting)
    first, second, others = seen[:2], seen[2:3], seen[3:]
    assert first == [("busy", "waiting")] * 2
    assert second == [("idle", "busy")]
    assert others == [("idle", "idle")] * 3 + [("idle", "busy")]
    pipeline.force_keyframe()
    assert pipeline.queues() == {"masks": "waiting", "depth": "busy"}


def test_without_turns_both_models_are_busy_and_one_that_is_left_out_is_not_told():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), gate)
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    assert pipeline.queues() == {"masks": "busy", "depth": "busy"}
    assert build_pipeline(None, RedDepth()).queues() == {"depth": "idle"}


def test_a_click_is_answered_without_waiting_for_the_encoder():
    gate, segmenter = Gate(), ColorSegmenter()
    pipeline = build_pipeline(segmenter, None, gate)
    click_while_it_encodes(pipeline, gate)
    pipeline.process(frame(7))
    encoded = segmenter.encoded
    gate.release("clicks")
    result = pipeline.process(frame(8))
    assert segmenter.encoded == encoded
    assert iou(result.tracks[1].mask, moving_scene(8)[1] == 2) > 0.75


def test_while_paused_a_click_refines_the_frame_on_the_screen():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    pipeline.prompt(Prompt([(250, 150)], object_id=2))
    result = pipeline.refresh()
    assert result.index == 0
    assert iou(result.tracks[1].mask, moving_scene(0)[1] == 2) > 0.9


def test_what_was_asked_before_a_scene_cut_is_thrown_away():
    gate = Gate()
    pipeline = build_pipeline(None, RedDepth(), gate)
    pipeline.process(frame(0))
    pipeline.process(another_scene(1))
    gate.release("depth")
    assert pipeline.process(another_scene(2)).inverse_depth is None


def test_nothing_is_kept_per_frame():
    pipeline = build_pipeline(ColorSegmenter(), RedDepth())
    pipeline.prompt(Prompt([(60, 80)]))
    for index in range(40):
        pipeline.process(frame(index, speed_px=1))
    gc.collect()
    assert pipeline._motion.open_anchors <= 3
    assert len(pipeline._pending) == 0


def test_with_threads_results_arrive_and_close_ends_them():
    before = threading.active_count()
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), ThreadedWorkers())
    pipeline.prompt(Prompt([(60, 80)]))
    for index in range(400):
        result = pipeline.process(Frame(index, index / 30, moving_scene(min(index, 30))[0], 0.0))
        if result.inverse_depth is not None and result.tracks[0].mask.any():
            break
    assert result.tracks[0].mask.any()
    pipeline.close()
    assert threading.active_count() == before


def test_background_clicks_alone_ask_once_and_wait_for_more():
    pipeline = build_pipeline(ColorSegmenter(), keyframe_interval=5)
    pipeline.prompt(Prompt([(60, 80)], [0]))
    reasons = [pipeline.process(frame(index)).reason_of("masks") for index in range(5)]
    assert reasons == ["prompt", None, None, None, None]
    pipeline.prompt(Prompt([(60, 80)], [1], object_id=1))
    assert pipeline.process(frame(5)).reason_of("masks") == "prompt"


@pytest.mark.parametrize("automatic", [True, False])
def test_a_new_scene_is_looked_through_where_nobody_said_what_to_follow(automatic):
    pipeline = build_pipeline(ColorSegmenter())
    if automatic:
        pipeline.discover()
    else:
        pipeline.prompt(Prompt([(60, 80)]))
    before = [track.id for track in pipeline.process(frame(0)).tracks]
    result = pipeline.process(another_scene(1))
    assert result.reason_of("masks") == ("discover" if automatic else "scene cut")
    after = [track.id for track in result.tracks]
    assert not set(before) & set(after) if automatic else before == after


def test_a_click_on_a_frame_of_a_moment_ago_lands_on_the_object_that_was_there():
    pipeline = build_pipeline(ColorSegmenter(), None)
    for index in range(12):
        pipeline.process(frame(index, speed_px=6))
    place = 60 - 15, 80  # on the ball of frame 0, which has moved on by more than its size
    assert moving_scene(11, speed_px=6)[1][place[1], place[0]] == 0
    pipeline.prompt(Prompt([place], object_id=3, label="ball"), seen_index=0)
    track = pipeline.process(frame(12, speed_px=6)).tracks[0]
    assert (track.id, track.label) == (3, "ball")
    assert iou(track.mask, moving_scene(12, speed_px=6)[1] == 1) > 0.8


def test_a_box_on_a_frame_of_a_moment_ago_moves_with_what_is_in_it():
    pipeline = build_pipeline(ColorSegmenter(), None)
    for index in range(12):
        pipeline.process(frame(index, speed_px=6))
    pipeline.prompt(Prompt(box=(30, 50, 90, 110)), seen_index=0)
    assert iou(pipeline.process(frame(12, speed_px=6)).tracks[0].mask, moving_scene(12, speed_px=6)[1] == 1) > 0.8


def test_what_was_pointed_at_and_is_gone_is_refused():
    pipeline = build_pipeline(ColorSegmenter(), None)
    for index in range(12):
        pipeline.process(frame(index, speed_px=25))
    with pytest.raises(PromptError, match="has left the picture or is covered by now: point again"):
        pipeline.prompt(Prompt([(60, 80)]), seen_index=0)
    pipeline.process(another_scene(12))
    with pytest.raises(PromptError, match="is gone: point at what is shown now"):
        pipeline.prompt(Prompt([(60, 80)]), seen_index=11)
    assert pipeline.process(another_scene(13)).tracks == ()


def test_what_was_measured_on_a_frame_of_a_moment_ago_is_known_of_where_it_is_now():
    heard = []

    class Calibrated:
        def calibrate(self, known, motion):
            heard.append(known)

    pipeline = build_pipeline(None, RedDepth())
    pipeline._calibrated = Calibrated()
    for index in range(12):
        pipeline.process(frame(index, speed_px=25))
    ball_and_ground = KnownDepths([(60, 80), (20, 200)], [2.0, 3.0], along_ray=True, relative_error=0.1)
    pipeline.calibrate(ball_and_ground, seen_index=0)
    (known,) = heard
    assert known.point_coords == pytest.approx(np.array([[20, 200]]), abs=1), "the ball has left the picture"
    assert (known.meters.tolist(), known.along_ray, known.relative_error) == ([3.0], True, 0.1)
    with pytest.raises(PromptError, match="has left the picture"):
        pipeline.calibrate(KnownDepths([(60, 80)], [2.0]), seen_index=0)


def test_frames_that_were_left_out_make_masks_and_depth_older_alike():
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), keyframe_interval=100, depth_interval=100)
    pipeline.prompt(Prompt([(60, 80)]))
    for index in (0, 1, 5):
        result = pipeline.process(frame(index))
    assert {name: stage.age for name, stage in result.stages.items() if stage.age is not None} == {
        "masks": 5,
        "depth": 5,
    }


def test_ages_are_told_in_time_as_well_and_go_on_over_an_outage():
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), keyframe_interval=5, depth_interval=4)
    pipeline.prompt(Prompt([(60, 80)]))
    results = [pipeline.process(frame(index)) for index in range(4)]
    ages_s = [result.tracks[0].age_s for result in results]
    assert ages_s == pytest.approx([index / 30 for index in range(4)])
    assert [result.age_s_of("masks") for result in results] == ages_s
    assert [result.age_s_of("depth") for result in results] == ages_s
    late = pipeline.process(replace(frame(4), time_s=4 / 30 + 10))  # depth is asked about it, masks are not
    assert (late.tracks[0].age_s, late.age_s_of("depth")) == pytest.approx((4 / 30 + 10, 0))
    pipeline.close()


def test_an_object_that_no_model_has_seen_yet_has_no_age():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), workers=gate)
    pipeline.prompt(Prompt([(60, 80)]))
    assert pipeline.process(frame(0)).tracks[0].age_s is None
    gate.release("masks")
    assert pipeline.process(frame(1)).tracks[0].age_s == pytest.approx(1 / 30)
    pipeline.close()


def test_a_damaged_frame_is_no_keyframe_and_the_next_whole_one_is():
    pipeline = build_pipeline(None, RedDepth(), depth_interval=4)
    asked = {}
    for index in range(12):
        seen = frame(index) if index < 8 else another_scene(index)
        result = pipeline.process(replace(seen, damaged=index in (0, 5, 8, 9)))
        asked[index] = result.reason_of("depth")
    assert {index: reason for index, reason in asked.items() if reason} == {1: "first", 6: "interval", 10: "scene cut"}


def test_what_no_model_has_seen_for_long_is_uncertain_where_keyframes_come_late():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), workers=gate, keyframe_interval=5)
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    gate.release("masks")
    states = [pipeline.process(replace(frame(index), time_s=index / 2)).tracks[0] for index in range(1, 9)]
    assert [track.state for track in states[:5]] == ["tracked"] * 5, "no later than the schedule has it"
    assert [track.state for track in states[5:]] == ["uncertain"] * 3
    assert states[-1].age_s == 4
    gate.release("masks")
    assert pipeline.process(replace(frame(9), time_s=4.5)).tracks[0].state == "tracked"
    pipeline.close()
