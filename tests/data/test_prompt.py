"""What is asked of SAM: refused where it makes no sense, and the geometry of masks."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from streamer.data.mask import box_of, innermost_of
from streamer.data.prompt import Prompt, check_inside, prompts_from_labels
from streamer.errors import PromptError
from streamer.models.protocols import Decoded

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=24))
SIZE = 64, 48


def test_points_are_foreground_unless_labels_say_otherwise():
    prompt = Prompt([(3, 4), (5.5, 6)])
    assert prompt.point_coords.dtype == np.float32
    np.testing.assert_array_equal(prompt.point_coords, [(3, 4), (5.5, 6)])
    assert (prompt.point_labels.tolist(), prompt.point_labels.dtype) == ([1, 1], np.int32)
    assert Prompt([(3, 4), (5, 6)], [1, 0]).point_labels.tolist() == [1, 0]
    assert Prompt((3, 4)).point_coords.shape == (1, 2)


def test_a_prompt_without_points_has_empty_ones():
    for prompt in (Prompt(), Prompt([]), Prompt(box=(1, 2, 3, 4))):
        assert (prompt.point_coords.shape, prompt.point_labels.shape) == ((0, 2), (0,))


def test_the_mask_is_bool_and_the_print_short():
    prompt = Prompt([(3, 4)], [0], (1, 2, 30, 40), np.ones((48, 64), np.uint8), object_id=5)
    assert prompt.mask.dtype == bool
    assert repr(prompt) == "Prompt(object 5: 0@(3, 4), box=[1.0, 2.0, 30.0, 40.0], mask=(48, 64))"
    assert repr(Prompt([(3, 4)], object_id=5, label="dog")) == "Prompt(object 5 (dog): 1@(3, 4))"
    assert repr(Prompt()) == "Prompt(object None: empty)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"point_coords": [(1, 2, 3)]}, r"point_coords must have the shape \(-1, 2\), but it is \(1, 3\)"),
        ({"point_coords": [(1, np.nan)]}, "point_coords must be finite numbers"),
        ({"point_coords": [(1, 2)], "point_labels": [2]}, r"for each of the 1 points, but it is \[2\]"),
        ({"point_coords": [(1, 2)], "point_labels": [1, 0]}, "for each of the 1 points"),
        ({"point_labels": [1]}, "for each of the 0 points"),
        ({"box": (1, 2, 3)}, r"box must have the shape \(4,\), but it is \(3,\)"),
        ({"box": (1, 2, np.inf, 4)}, "box must be finite numbers"),
        ({"box": (5, 2, 5, 4)}, "has no area: give x0,y0,x1,y1"),
        ({"box": (1, 4, 5, 2)}, "has no area"),
        ({"point_coords": [(1, 2, 3), (4, 5, 6)]}, r"point_coords must have the shape \(-1, 2\), but it is \(2, 3\)"),
        ({"point_coords": ["a", "b"]}, "point_coords must be numbers of the shape"),
        ({"point_coords": [(1, 2), (3,)]}, "point_coords must be numbers of the shape"),
        ({"mask": np.ones((4, 4, 3), bool)}, r"mask must have the shape \(H, W\), but it is \(4, 4, 3\)"),
        ({"object_id": 0}, "object_id must be a whole number from 1 up, but it is 0"),
        ({"label": " "}, "A label is a word or a few, as in label='dog', but it is ' '"),
        ({"label": 3}, "A label is a word or a few"),
        ({"object_id": "dog"}, "object_id must be a whole number from 1 up, but it is 'dog'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(PromptError, match=message) as caught:
        Prompt(**arguments)
    assert str(caught.value).count("\n") == 0


def test_the_best_candidate_of_each_prompt_is_chosen():
    logits = np.arange(2 * 3, dtype=np.float32).reshape(2, 3, 1, 1)
    chosen, scores = Decoded(logits, np.float32([[0.1, 0.9, 0.3], [0.7, 0.2, 0.6]])).best()
    assert chosen[:, 0, 0].tolist() == [1, 3]
    assert scores.tolist() == pytest.approx([0.9, 0.7])


@given(masks)
def test_the_box_is_the_tightest_that_holds_the_mask(mask):
    box = box_of(mask)
    if box is None:
        assert not mask.any()
        return
    x0, y0, x1, y1 = map(int, box)
    inside = mask[y0:y1, x0:x1]
    assert inside.sum() == mask.sum()
    for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert edge.any()


@given(masks)
def test_the_innermost_point_is_on_the_mask_and_nowhere_is_farther_from_the_edge(mask):
    assume(mask.any())
    x, y = innermost_of(mask)
    assert mask[int(y), int(x)]
    ys, xs = np.nonzero(~np.pad(mask, 1))

    def clearance(column, row):
        return np.hypot(xs - 1 - column, ys - 1 - row).min()

    best = max(clearance(column, row) for row, column in np.argwhere(mask))
    assert clearance(x, y) >= 0.9 * best, "OpenCV's distances are off by a few per cent"


def test_the_innermost_point_of_a_square_is_its_middle_and_the_border_counts_as_edge():
    mask = np.zeros((40, 60), bool)
    mask[10:21, 30:41] = True
    assert innermost_of(mask) == (35, 15)
    assert innermost_of(np.ones((9, 9), bool)) == (4, 4)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 4)))
def test_prompts_of_a_label_map_put_it_together_again(labels):
    assume(labels.any())
    prompts = prompts_from_labels(labels)
    ids = [prompt.object_id for prompt in prompts]
    assert ids == sorted(set(labels[labels > 0].tolist()))
    again = sum(prompt.mask * prompt.object_id for prompt in prompts)
    np.testing.assert_array_equal(again, labels)


def test_a_label_map_without_objects_is_refused():
    with pytest.raises(PromptError, match="The mask is empty: give each object a value from 1 to 255"):
        prompts_from_labels(np.zeros((4, 4), np.uint8))


coordinate = st.floats(-200, 200, width=32)


@given(coordinate, coordinate)
def test_a_point_is_inside_where_its_pixel_is(x, y):
    on_frame = 0 <= x < SIZE[0] and 0 <= y < SIZE[1]
    try:
        check_inside([Prompt([(1, 1), (x, y)])], SIZE)
    except PromptError:
        assert not on_frame
    else:
        assert on_frame


@given(coordinate, coordinate, st.floats(0.5, 300, width=32), st.floats(0.5, 300, width=32))
def test_a_box_needs_only_to_touch_the_frame(x, y, width, height):
    box = np.float32([x, y, x + width, y + height])
    covered = (np.clip(box[2:], 0, SIZE) - np.clip(box[:2], 0, SIZE)).prod() > 0
    try:
        check_inside([Prompt(box=box)], SIZE)
    except PromptError:
        assert not covered
    else:
        assert covered


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt([(64, 3)]), "The point 64,3 lies outside the frame, which is 64x48: x goes from 0 to 63 and y from 0"),
        (Prompt(box=(-9, 3, -1, 7)), "The box -9,3,-1,7 lies outside the frame, which is 64x48"),
        (Prompt(mask=np.ones((64, 48), bool)), "The mask is 48x64 but the frame is 64x48: they must be the same size"),
        (Prompt(mask=np.zeros((48, 64), bool)), "The mask is empty"),
    ],
    ids=["point", "box", "mask", "nothing"],
)
def test_whatever_lies_outside_is_told_with_the_size_of_the_frame(prompt, message):
    with pytest.raises(PromptError, match=message):
        check_inside([Prompt([(1, 1)], mask=np.ones((48, 64), bool)), prompt], SIZE)
