"""The parts of the tracker, each on its own."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.models.protocols import Decoded, Embedding
from streamer.motion.pyramid import Grid, Pyramid, halve
from streamer.tracking import points
from streamer.tracking.asking import Answer, Asking, Others, Question, ask
from streamer.tracking.finding import followed, recognized, seen_since
from streamer.tracking.judging import Beliefs, Verdict, Worries, judge, mistaken, weight_of
from streamer.tracking.objects import Object, Path, tell_apart
from streamer.tracking.overlaps import apart
from streamer.tracking.prompting import prompt_for
from streamer.tracking.recognition import Look, View, described, likeness, places_of, remember, without_aliens
from streamer.tracking.refine import INSIDE, Colors, Present, bins_of, harden, refine, smallest_piece, without_scraps

SIZE = (160, 96)


def disc(center, radius, size=SIZE):
    mask = np.zeros(size[::-1], np.uint8)
    cv2.circle(mask, center, radius, 255, -1)
    return mask


def iou(first, second):
    return (first & second).sum() / (first | second).sum()


def red_ball(center=(80, 48)):
    picture = np.random.default_rng(0).integers(60, 110, (96, 160, 3), dtype=np.uint8)
    picture[disc(center, 20) > 0] = (200, 30, 30)
    return picture


def present_of(picture):
    return Present(Pyramid.of(picture, GRID, GRID))


# Refining


def test_refining_pulls_a_shifted_mask_back_onto_the_object():
    picture, truth = red_ball(), disc((80, 48), 20) > 0
    present = present_of(picture)
    ratio = Colors.of(present.bins, halve(disc((80, 48), 20))).ratios()[0]
    carried = disc((86, 51), 20)
    refined = refine(halve(carried), ratio, np.full((48, 80), 0.3, np.float32), present) > INSIDE
    assert iou(carried > 0, truth) < 0.75
    assert iou(refined, truth) > 0.93


def test_refining_keeps_a_mask_where_colors_say_nothing_and_it_is_trusted():
    picture = np.full((96, 160, 3), 90, np.uint8)
    carried = disc((60, 50), 18)
    present = present_of(picture)
    ratio = Colors.of(present.bins, halve(carried)).ratios()[0]
    refined = refine(halve(carried), ratio, np.ones((48, 80), np.float32), present) > INSIDE
    assert iou(refined, carried > 0) > 0.95


def test_nothing_refined_is_nothing_and_edges_stay_through_many_rounds():
    picture, mask = red_ball(), disc((80, 48), 20)
    present, trust = present_of(picture), np.ones((48, 80), np.float32)
    ratio = Colors.of(present.bins, halve(mask)).ratios()[0]
    assert not refine(np.zeros_like(halve(mask)), ratio, trust, present).any()
    for _ in range(30):
        mask = harden(refine(halve(mask), ratio, trust, present))
    assert iou(mask > INSIDE, disc((80, 48), 20) > 0) > 0.93


def test_colors_need_both_sides():
    bins = bins_of(red_ball())
    assert Colors.of(bins, np.zeros((96, 160), np.uint8)) is None
    assert Colors.of(bins, np.full((96, 160), 255, np.uint8)) is None


# Points


@given(st.integers(1, 16), st.integers(4, 30), st.tuples(st.integers(30, 130), st.integers(30, 66)))
def test_positive_points_lie_inside_and_are_spread(count, radius, center):
    mask = disc(center, radius) > 0
    gray = np.random.default_rng(1).integers(0, 255, (96, 160), dtype=np.uint8)
    chosen = points.positive(mask, gray, count)
    assert 1 <= len(chosen) <= count
    assert points.inside(mask, chosen).all()
    if radius > 15 and count >= 4:
        assert chosen.std(axis=0).min() > radius / 8


def test_kept_points_stay_and_others_fill_up():
    kept = np.float32([[75, 45], [85, 50]])
    chosen = points.positive(disc((80, 48), 20) > 0, np.zeros((96, 160), np.uint8), 6, kept)
    assert np.array_equal(chosen[:2], kept)
    assert len(chosen) == 6


def test_negative_points_lie_around_and_on_others():
    mask, other = disc((60, 48), 15) > 0, disc((130, 48), 15) > 0
    chosen = points.negative(mask, other, 8)
    assert len(chosen) == 8
    assert not points.inside(mask, chosen).any()
    assert points.inside(other, chosen).any()


def test_the_whole_frame_has_no_surroundings():
    assert len(points.negative(np.ones((96, 160), bool), np.zeros((96, 160), bool), 4)) == 0


@pytest.mark.parametrize(("center", "boxed"), [((80, 48), True), ((4, 48), False), ((80, 92), False)])
def test_what_the_frame_cuts_off_is_asked_for_without_a_box(center, boxed):
    item = Object(1)
    item.shown = disc(center, 20)
    prompt = prompt_for(item, np.zeros((96, 160), bool), GRID, negatives=2)
    assert (prompt.box is not None) is boxed
    assert set(prompt.point_labels) == {0, 1}


# Asking


class Candidates:
    """Answers every prompt with the same candidates, and remembers what it was asked."""

    def __init__(self, masks, scores):
        self.masks, self.scores, self.asked = masks, scores, []

    def decode(self, embedding, prompts, multimask_output=True):
        self.asked.append(list(prompts))
        logits = np.stack([np.where(mask > 0, 8.0, -8.0) for mask in self.masks]).astype(np.float32)
        return Decoded(np.stack([logits] * len(prompts)), np.tile(np.float32(self.scores), (len(prompts), 1)))

    def mask_input(self, mask, image_size):
        return np.asarray(mask, np.float32)

    def upscale(self, logits, image_size):
        return logits

    def features(self, embedding):
        return np.random.default_rng(0).normal(size=(12, 20, 8)).astype(np.float32)


GRID, EMBEDDING, PICTURE = Grid(SIZE, SIZE), Embedding(None, SIZE), np.zeros((96, 160, 3), np.uint8)
BALL, PART, WHOLE = disc((80, 48), 20), disc((80, 48), 8), np.full((96, 160), 255, np.uint8)


def question(carried=BALL, spoken=False, **more):
    return Question(1, 1, spoken, Prompt([(80, 48)]), carried, **more)


def test_the_candidate_that_agrees_with_what_was_carried_is_chosen():
    (answer,) = ask(Candidates([PART, BALL, WHOLE], [0.9, 0.8, 0.85]), EMBEDDING, [question()], PICTURE, GRID)
    assert answer.agreement > 0.95
    (answer,) = ask(
        Candidates([PART, BALL, WHOLE], [0.9, 0.8, 0.85]), EMBEDDING, [question()], PICTURE, GRID, Asking(agreement=0.0)
    )
    assert answer.score == pytest.approx(0.9)


def test_a_person_gets_what_sam_is_surest_of():
    (answer,) = ask(Candidates([PART, BALL], [0.9, 0.8]), EMBEDDING, [question(spoken=True)], PICTURE, GRID)
    assert (answer.soft > INSIDE).sum() == (PART > 0).sum()


def test_constant_velocity_tells_twins_apart():
    left, right = disc((50, 48), 15), disc((110, 48), 15)
    expected = np.float32([95, 33, 126, 64])
    asked = question(carried=np.maximum(left, right), expected=expected)
    (answer,) = ask(Candidates([left, right], [0.8, 0.8]), EMBEDDING, [asked], PICTURE, GRID, Asking(motion=0.5))
    assert answer.soft[48, 110] == 255


def test_later_passes_show_sam_its_own_answer_and_box():
    decoder = Candidates([BALL], [0.9])
    ask(decoder, EMBEDDING, [question()], PICTURE, GRID, Asking(passes=2, use_box=False))
    first, second = decoder.asked
    assert first[0].box is None
    assert second[0].box == pytest.approx([60, 28, 101, 69], abs=1.5)
    assert second[0].mask_input.max() == 8


@pytest.mark.parametrize(("centers", "like"), [([(80, 48)], 0.0), ([(80, 48), (30, 48)], 0.9)])
def test_an_answer_knows_what_else_on_the_frame_looks_like_the_object(centers, like):
    picture = np.random.default_rng(0).integers(60, 110, (96, 160, 3), dtype=np.uint8)
    for center in centers:
        picture[disc(center, 20) > 0] = (200, 30, 30)
    asked = question(bank=bank_of(view_of((80, 48)), (80, 48)), others=Others((), NOWHERE))
    (answer,) = ask(Candidates([BALL], [0.9]), EMBEDDING, [asked], picture, GRID)
    assert answer.mimic == pytest.approx(like, abs=0.1)


# Judging


def answer(soft=BALL, score=0.8, agreement=0.9, spoken=False, look=None, bank=(), others=None, sought=False):
    return Answer(question(spoken=spoken, bank=bank, others=others, sought=sought), soft, score, agreement, look=look)


@pytest.mark.parametrize(
    ("answered", "carried_score", "verdict"),
    [
        (answer(score=0.9), 0.4, Verdict.ACCEPT),
        (answer(score=0.7), 0.7, Verdict.BLEND),
        (answer(score=0.3), 0.9, Verdict.REJECT),
        (answer(score=0.7, agreement=0.1), 0.7, Verdict.REJECT),
        (answer(score=0.9, agreement=0.1), 0.4, Verdict.REJECT),
        (answer(score=0.1, agreement=0.0, spoken=True), 0.9, Verdict.ACCEPT),
        (answer(soft=np.zeros_like(BALL), score=0.9), 0.1, Verdict.REJECT),
    ],
)
def test_the_better_of_answer_and_carried_mask_is_believed(answered, carried_score, verdict):
    beliefs = Beliefs(accept=0.85, reject=0.1)
    assert judge(answered, weight_of(answered, carried_score, beliefs), beliefs) is verdict


@pytest.mark.parametrize(("score", "verdict"), [(0.7, Verdict.ACCEPT), (0.6, Verdict.BLEND), (0.4, Verdict.REJECT)])
def test_by_default_only_an_answer_that_is_clearly_worse_does_not_replace_what_was_carried(score, verdict):
    answered = answer(score=score)
    assert judge(answered, weight_of(answered, 0.9, Beliefs()), Beliefs()) is verdict


def test_trouble_has_a_name():
    worries = Worries()
    assert worries.about(0.1, 1.1, 0.8) is None
    assert worries.about(0.9, 1.1, 0.8) == "points lost"
    assert worries.about(0.1, 3.0, 0.8) == "area jump"
    assert worries.about(0.1, 0.3, 0.8) == "area jump"
    assert worries.about(0.1, 1.1, 0.1) == "looks different"
    assert Worries.none().about(1.0, 100.0, 0.0) is None


# Recognition


NOWHERE = np.zeros((96, 160), bool)


def view_of(*centers, color=(200, 30, 30)):
    picture = np.random.default_rng(0).integers(60, 110, (96, 160, 3), dtype=np.uint8)
    for center in centers:
        picture[disc(center, 20) > 0] = color
    features = cv2.resize(picture, (20, 12), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return View(features, bins_of(picture))


def bank_of(view, center):
    return remember((), described(view, disc(center, 20)))


def test_an_object_is_known_again_where_it_is_and_nothing_else_is():
    bank = bank_of(view_of((40, 48)), (40, 48))
    elsewhere = view_of((120, 40))
    ((column, row),) = places_of(elsewhere, bank, (), NOWHERE, 1)
    assert (column * 8, row * 8) == pytest.approx((120, 40), abs=12)
    item = Object(1, largest=int((disc((40, 48), 20) > 0).sum()), bank=bank)

    def is_it(at, radius=20, rivals=(), taken=NOWHERE, look=None):
        soft = disc(at, radius)
        seen = described(elsewhere, soft) if look is None else look
        return recognized(
            item, answer(soft, look=seen, bank=bank, others=Others(rivals, taken), sought=True), Beliefs()
        )

    assert is_it((120, 40))
    assert not is_it((40, 48))
    look = described(elsewhere, disc((120, 40), 20))
    assert not is_it((120, 40), radius=3, look=look)
    assert not is_it((120, 40), rivals=(look,))


def test_a_lost_object_may_be_where_another_is_thought_to_be_only_if_it_looks_much_less_like_that_one():
    view, taken = view_of((120, 40)), disc((121, 40), 20) > 0
    bank, soft = bank_of(view, (120, 40)), disc((120, 40), 20)
    item = Object(1, largest=int((soft > 0).sum()), bank=bank)
    unlike = bank_of(view_of((120, 40), color=(20, 220, 40)), (120, 40))
    little_less = tuple(Look(known.features, known.colors * np.float32(0.9)) for known in bank)
    for rivals, back in ((unlike, True), (little_less, False)):
        answered = answer(soft, look=described(view, soft), bank=bank, others=Others(rivals, taken), sought=True)
        assert bool(recognized(item, answered, Beliefs())) is back


def test_the_less_alike_the_oftener_a_lost_object_has_to_be_seen():
    view, soft = view_of((120, 40)), disc((120, 40), 20)
    look, beliefs = described(view, soft), Beliefs(likeness=0.8, faint=0.6, confirmations=2)
    item = Object(1, largest=int((soft > 0).sum()), bank=bank_of(view, (120, 40)))

    def evidence(shared):
        seen = Look(look.features, look.colors * np.float32(shared))
        return recognized(
            item, answer(soft, look=seen, bank=item.bank, others=Others((), NOWHERE), sought=True), beliefs
        )

    assert evidence(1.0) == 3 / 4
    assert evidence(0.6) == pytest.approx(1 / 2, abs=0.02)
    assert evidence(0.4) == pytest.approx(1 / 4, abs=0.02)
    assert evidence(0.1) == 0


def test_an_answer_about_what_may_be_elsewhere_is_followed_if_it_lies_where_it_should_and_looks_as_it_did():
    view, soft = view_of((120, 40)), disc((120, 40), 20)
    bank, others = bank_of(view, (120, 40)), Others((), NOWHERE)
    item, alike = Object(1, bank=bank, state=State.TRACKED), described(view, soft)
    unlike = described(view, disc((40, 48), 20))
    assert followed(item, answer(soft, look=alike, bank=bank, others=others, sought=True), Beliefs())
    assert not followed(item, answer(soft, look=unlike, bank=bank, others=others, sought=True), Beliefs())
    assert not followed(item, answer(soft, agreement=0.0, look=alike, bank=bank, others=others, sought=True), Beliefs())
    assert followed(item, answer(soft, look=unlike, bank=bank), Beliefs()), "nobody doubted where it is"
    item.state = State.LOST
    assert not followed(item, answer(soft, look=alike, bank=bank, others=others, sought=True), Beliefs())
    assert followed(item, answer(soft, look=unlike, spoken=True), Beliefs())


def test_a_piece_that_looks_like_something_else_is_left_out_where_another_looks_like_the_object():
    view = view_of((120, 40))
    bank, ball, grass = bank_of(view, (120, 40)), disc((120, 40), 20), disc((40, 48), 24)
    np.testing.assert_array_equal(without_aliens(view, np.maximum(ball, grass), bank), ball)
    np.testing.assert_array_equal(without_aliens(view, np.maximum(ball, grass), ()), np.maximum(ball, grass))
    np.testing.assert_array_equal(without_aliens(view, ball, bank), ball)
    both = np.maximum(grass, disc((60, 100), 10))
    np.testing.assert_array_equal(without_aliens(view, both, bank), both, "none of them looks like the object")


def test_an_object_is_in_one_place_but_something_narrow_may_hide_its_middle():
    view, ball = view_of((120, 40), (40, 48)), disc((120, 40), 20)
    bank = bank_of(view, (120, 40))
    np.testing.assert_array_equal(without_aliens(view, np.maximum(ball, disc((40, 48), 16)), bank), ball)
    behind_a_pole = ball.copy()
    behind_a_pole[:, 115:125] = 0
    np.testing.assert_array_equal(without_aliens(view, behind_a_pole, bank), behind_a_pole)


def test_what_was_seen_of_a_lost_object_is_seen_once_more_if_it_keeps_its_colors_for_some_frames():
    view, soft, beliefs = view_of((120, 40)), disc((120, 40), 20), Beliefs(confirmations=2)
    item = Object(1, bank=bank_of(view, (120, 40)), evidence=0.6, seen_index=10)
    gone = view_of((40, 48)).bins
    assert seen_since(item, soft, view.bins, 13, beliefs)
    assert not seen_since(item, soft, view.bins, 12, beliefs), "too soon to be another sight"
    assert not seen_since(item, soft, gone, 13, beliefs), "something else is there now"
    assert not seen_since(item, np.zeros_like(soft), view.bins, 13, beliefs)
    item.evidence = 0.4
    assert not seen_since(item, soft, view.bins, 13, beliefs), "one more sight would not be enough"


def test_a_lost_object_is_rather_looked_for_where_nothing_else_is():
    view = view_of((40, 48), (120, 40))
    bank, taken = bank_of(view_of((40, 48)), (40, 48)), disc((40, 48), 24) > 0
    ((column, row),) = places_of(view, bank, (), taken, 1)
    assert (column * 8, row * 8) == pytest.approx((120, 40), abs=12)
    assert places_of(view, bank, bank, taken, 1) == [(column, row)]


def test_several_places_are_apart():
    view = view_of((40, 48), (120, 40))
    places = np.array(places_of(view, bank_of(view, (40, 48)), (), NOWHERE, 4))
    assert len(places) == 4
    distances = np.abs(places[:, None] - places[None]).max(axis=2) + 100 * np.eye(4)
    assert distances.min() > 2
    for center in ((40, 48), (120, 40)):
        assert np.abs(places[:2] * 8 - center).max(axis=1).min() < 16


def test_colors_tell_apart_what_looks_alike_to_sam():
    red, green = view_of((40, 48)), view_of((40, 48), color=(20, 220, 40))
    same = View(red.features, green.bins)
    look, other = (described(view, disc((40, 48), 20)) for view in (red, same))
    assert np.array_equal(look.features, other.features)
    assert likeness(look, (look,)) == pytest.approx(1)
    assert likeness(look, (other,)) == pytest.approx(0.5, abs=0.02)


def test_a_lost_object_is_asked_for_in_several_places_and_the_likest_answer_is_taken():
    view = view_of((40, 48), (120, 40))
    picture = np.full((96, 160, 3), 90, np.uint8)
    picture[disc((120, 40), 20) > 0] = (200, 30, 30)

    class Places(Candidates):
        def decode(self, embedding, prompts, multimask_output=True):
            self.asked.append(list(prompts))
            masks = [disc(tuple(int(side) for side in prompt.point_coords[0]), 20) for prompt in prompts]
            logits = np.stack([np.where(mask > 0, 8.0, -8.0)[None] for mask in masks]).astype(np.float32)
            return Decoded(logits, np.full((len(prompts), 1), 0.9, np.float32))

        def features(self, embedding):
            return view.features

    decoder = Places([], [])
    bank = bank_of(view_of((120, 40)), (120, 40))
    lost = Question(1, 1, False, None, None, bank=bank, others=Others((), NOWHERE), sought=True)
    (found,) = ask(decoder, EMBEDDING, [lost], picture, GRID)
    assert len(decoder.asked[0]) == 4
    assert iou(found.soft > INSIDE, disc((120, 40), 20) > 0) > 0.5
    assert found.question.object_id == 1


def test_the_bank_keeps_the_first_look_and_stays_small():
    bank = ()
    looks = [Look(row, row) for row in np.eye(20, dtype=np.float32)]
    for look in looks:
        bank = remember(bank, look)
    assert len(bank) <= 6
    assert likeness(looks[0], bank) == 1
    assert likeness(looks[19], bank) == 1
    assert likeness(looks[5], bank) == 0
    assert likeness(None, bank) == 0
    assert remember(bank, None) is bank
    assert described(view_of((40, 48)), np.zeros((96, 160), np.uint8)) is None


# Paths and overlaps


def test_a_path_goes_on_at_its_velocity():
    path = Path()
    assert path.expected() is None
    for step in range(30):
        path.follow(disc((30 + 3 * step, 48), 10))
    x0, y0, _, _ = path.expected()
    assert (x0, y0) == pytest.approx((30 + 3 * 30 - 10, 38), abs=1)


def test_contested_pixels_go_to_the_surer_object_or_to_the_one_at_that_depth():
    near, far = disc((70, 48), 20), disc((90, 48), 20)
    both = (near > 0) & (far > 0)
    first, second = apart([near, far], [0.5, 0.9], None)
    assert (second[both] > INSIDE).all()
    assert not (first[both] > INSIDE).any()
    inverse_depth = np.ones((96, 160), np.float32)
    inverse_depth[near > 0] = 5
    first, second = apart([near, far], [0.8, 0.85], inverse_depth)
    assert (first[both] > INSIDE).all()
    assert not (second[both] > INSIDE).any()


def test_what_lies_wholly_on_something_larger_is_in_front_of_it():
    person, ball = disc((80, 48), 40), disc((85, 50), 10)
    first, second = apart([person, ball], [0.9, 0.6], None)
    assert (second[ball > 0] > INSIDE).all()
    assert not (first[ball > 0] > INSIDE).any()


def test_an_answer_of_another_size_is_believed_less():
    same, twice = answer(disc((80, 48), 20)), answer(disc((80, 48), 28))
    assert weight_of(twice, 0.7, Beliefs()) < 0.6 * weight_of(same, 0.7, Beliefs())


def test_the_colors_that_a_person_meant_outlast_those_learnt_later():
    meant, later = (Colors(*(np.eye(4096, dtype=np.float32)[[at, 9]])) for at in (1, 2))
    item = Object(1)
    item.learn(meant, spoken=True)
    for _ in range(20):
        item.learn(later, spoken=False)
    tell_apart([item])
    assert item.ratio[1] > 5
    assert item.ratio[2] > 5
    item.learn(later, spoken=True)
    for _ in range(20):
        item.learn(later, spoken=False)
    tell_apart([item])
    assert item.ratio[1] < 2


def test_what_another_object_looks_like_speaks_against_an_object():
    red, blue, shared, around = np.eye(4096, dtype=np.float32)[:4]
    first, second = Object(1), Object(2)
    first.learn(Colors((red + shared) / 2, around), spoken=True)
    second.learn(Colors((blue + shared) / 2, around), spoken=True)
    tell_apart([first])
    alone, cautious = first.ratio, first.cautious_ratio
    tell_apart([first, second])
    assert first.ratio[0] == alone[0] > 5
    assert first.ratio[1] < 0.2 < alone[1] == pytest.approx(1)
    assert 1 < first.ratio[2] < alone[2]
    assert first.ratio[3] == alone[3] < 0.2
    assert first.cautious_ratio[0] < cautious[0] == pytest.approx(alone[0])


def test_scraps_are_left_out_and_halves_behind_a_pole_are_not():
    body, scrap = disc((60, 48), 25), disc((140, 20), 6)
    assert (without_scraps(np.maximum(body, scrap)) == body).all()
    halves = body.copy()
    halves[:, 55:62] = 0
    assert (without_scraps(halves) == halves).all()
    assert not without_scraps(np.zeros_like(body)).any()
    assert (without_scraps(np.maximum(body, scrap), smallest_piece(np.maximum(body, scrap))) > INSIDE)[20, 140]


def test_an_answer_that_shows_another_object_is_a_mistake_unless_a_person_asked_for_it():
    own, other = (Look(row, row) for row in np.eye(2, dtype=np.float32))
    between = Look((own.features + other.features) / np.sqrt(2), (own.colors + other.colors) / 2)
    assert mistaken(answer(look=other), (own,), (other,), Beliefs())
    assert mistaken(answer(look=other), (own, other), (other,), Beliefs()), "what was learnt since counts for nothing"
    assert not mistaken(answer(look=own), (own,), (other,), Beliefs())
    assert not mistaken(answer(look=between), (own,), (other,), Beliefs())
    assert not mistaken(answer(look=other, spoken=True), (own,), (other,), Beliefs())
    assert not mistaken(answer(look=other), (own,), (), Beliefs())
    assert not mistaken(answer(look=None), (own,), (other,), Beliefs())
