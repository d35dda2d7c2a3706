"""What SAM is asked, and which of its candidates is taken."""

import numpy as np
import pytest

from streamer.models.protocols import Decoded
from streamer.tracking.candidates import ask
from streamer.tracking.distractors import Distractors
from streamer.tracking.parameters import PromptingParameters, RankingWeights, TrackingParameters
from streamer.tracking.prompting import PromptRequest
from streamer.tracking.soft_masks import INSIDE
from tests.tracking.fakes import (
    BALL,
    EMBEDDING,
    GRID,
    NOWHERE,
    PART,
    WHOLE,
    FixedDecoder,
    disc,
    features_of,
    gallery_of,
    iou,
    request,
)

IMAGE = np.zeros((96, 160, 3), np.uint8)


def test_the_candidate_that_agrees_with_what_was_carried_is_chosen():
    (found,) = ask(FixedDecoder([PART, BALL, WHOLE], [0.9, 0.8, 0.85]), EMBEDDING, [request()], IMAGE, GRID)
    assert found.agreement > 0.95
    (found,) = ask(
        FixedDecoder([PART, BALL, WHOLE], [0.9, 0.8, 0.85]),
        EMBEDDING,
        [request()],
        IMAGE,
        GRID,
        TrackingParameters(ranking=RankingWeights(agreement=0)),
    )
    assert found.predicted_iou == pytest.approx(0.9)


def test_a_person_gets_what_sam_is_surest_of():
    (found,) = ask(FixedDecoder([PART, BALL], [0.9, 0.8]), EMBEDDING, [request(from_user=True)], IMAGE, GRID)
    assert (found.soft_mask > INSIDE).sum() == (PART > 0).sum()


def test_constant_velocity_tells_twins_apart():
    left, right = disc((50, 48), 15), disc((110, 48), 15)
    expected = np.float32([95, 33, 126, 64])
    asked = request(carried=np.maximum(left, right), expected_box=expected)
    (found,) = ask(
        FixedDecoder([left, right], [0.8, 0.8]),
        EMBEDDING,
        [asked],
        IMAGE,
        GRID,
        TrackingParameters(ranking=RankingWeights(motion=0.5)),
    )
    assert found.soft_mask[48, 110] == 255


def test_later_passes_show_sam_its_own_found_and_box():
    decoder = FixedDecoder([BALL], [0.9])
    ask(
        decoder,
        EMBEDDING,
        [request()],
        IMAGE,
        GRID,
        TrackingParameters(prompting=PromptingParameters(passes=2, use_box=False)),
    )
    first, second = decoder.asked
    assert first[0].box is None
    assert second[0].box == pytest.approx([60, 28, 101, 69], abs=1.5)
    assert second[0].mask_input.max() == 8


@pytest.mark.parametrize(("centers", "like"), [([(80, 48)], 0.0), ([(80, 48), (30, 48)], 0.9)])
def test_an_found_knows_what_else_on_the_frame_looks_like_the_object(centers, like):
    image = np.random.default_rng(0).integers(60, 110, (96, 160, 3), dtype=np.uint8)
    for center in centers:
        image[disc(center, 20) > 0] = (200, 30, 30)
    asked = request(gallery=gallery_of(features_of((80, 48)), (80, 48)), distractors=Distractors((), NOWHERE))
    (found,) = ask(FixedDecoder([BALL], [0.9]), EMBEDDING, [asked], image, GRID)
    assert found.background == pytest.approx(like, abs=0.1)


def test_a_lost_object_is_asked_for_in_several_places_and_the_likest_candidate_is_taken():
    seen = features_of((40, 48), (120, 40))
    image = np.full((96, 160, 3), 90, np.uint8)
    image[disc((120, 40), 20) > 0] = (200, 30, 30)

    class Places(FixedDecoder):
        def decode(self, embedding, prompts, multimask_output=True):
            self.asked.append(list(prompts))
            masks = [disc(tuple(int(side) for side in prompt.point_coords[0]), 20) for prompt in prompts]
            logits = np.stack([np.where(mask > 0, 8.0, -8.0)[None] for mask in masks]).astype(np.float32)
            return Decoded(logits, np.full((len(prompts), 1), 0.9, np.float32))

        def features(self, embedding):
            return seen.features

    decoder = Places([], [])
    gallery = gallery_of(features_of((120, 40)), (120, 40))
    lost = PromptRequest(1, 1, False, None, None, gallery=gallery, distractors=Distractors((), NOWHERE), is_sought=True)
    (found,) = ask(decoder, EMBEDDING, [lost], image, GRID)
    assert len(decoder.asked[0]) == 4
    assert iou(found.soft_mask > INSIDE, disc((120, 40), 20) > 0) > 0.5
    assert found.request.object_id == 1
