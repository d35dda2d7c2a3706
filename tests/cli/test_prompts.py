"""From what is written on the command line to prompts."""

import numpy as np
import pytest
from PIL import Image

from streamer.cli.prompts import read_prompts, understood
from streamer.errors import PromptError


def test_points_and_boxes_of_one_id_are_one_prompt():
    first, second = read_prompts(["10,20", "2:5,6", "1:30.5,40,0"], ["2:1,2,30,40"], None)
    assert (first.object_id, second.object_id) == (1, 2)
    np.testing.assert_array_equal(first.point_coords, [[10, 20], [30.5, 40]])
    np.testing.assert_array_equal(first.point_labels, [1, 0])
    assert first.box is None
    np.testing.assert_array_equal(second.point_coords, [[5, 6]])
    np.testing.assert_array_equal(second.box, [1, 2, 30, 40])


def places(prompts):
    return {prompt.object_id: (prompt.point_coords.tolist(), prompt.box is not None) for prompt in prompts}


def test_what_lies_apart_is_an_object_of_its_own():
    assert places(read_prompts(["100,100", "400,300", "120,110"], [])) == {
        1: ([[100, 100], [120, 110]], False),
        2: ([[400, 300]], False),
    }
    assert places(read_prompts([], ["0,0,50,50", "200,200,300,300"])) == {1: ([], True), 2: ([], True)}


def test_a_click_in_a_box_is_about_it_and_one_beside_it_is_not():
    assert places(read_prompts(["20,20", "60,60"], ["0,0,50,50"])) == {1: ([[20, 20]], True), 2: ([[60, 60]], False)}


def test_a_background_click_is_about_the_nearest_object_wherever_it_is_written():
    first, second = read_prompts(["380,300,0", "100,100", "400,300"], [])
    assert (first.point_labels.tolist(), second.point_labels.tolist()) == ([1], [1, 0])


def test_objects_without_ids_take_numbers_that_are_free():
    assert places(read_prompts(["100,100", "400,300", "2:9,9"], ["3:0,0,5,5"])).keys() == {1, 2, 3, 4}
    assert places(read_prompts(["100,100"], ["1:0,0,5,5"])) == {1: ([[100, 100]], True)}, "the first one is object 1"
    assert places(read_prompts([], ["1:0,0,5,5", "9,9,12,12"])) == {1: ([], True), 2: ([], True)}


def test_what_was_understood_is_told_where_it_could_have_been_meant_otherwise():
    def told(points=(), boxes=()):
        return understood(read_prompts(points, boxes), points, boxes)

    assert told() is None
    assert told(["1,2"]) is None
    assert told(["1:1,2", "2:300,4"]) is None
    assert told(["1,2", "300,4"]) == (
        "Understood as 2 objects: 1 at 1,2, 2 at 300,4. Ids say otherwise, as in --point 1:X,Y."
    )
    assert told(boxes=["10,10,5,5"]).startswith("Understood as 1 object: 1 in 5,5,10,10.")


def test_a_mask_gives_one_prompt_for_each_value(tmp_path):
    labels = np.zeros((8, 10), np.uint8)
    labels[2:4, 3:5], labels[6:, 6:] = 3, 9
    Image.fromarray(labels).save(tmp_path / "mask.png")
    prompts = read_prompts([], [], tmp_path / "mask.png")
    assert [prompt.object_id for prompt in prompts] == [3, 9]
    np.testing.assert_array_equal(prompts[1].mask, labels == 9)


def test_nothing_gives_nothing():
    assert read_prompts([], [], None) == []


@pytest.mark.parametrize(
    ("points", "boxes", "says"),
    [
        (["1"], [], "must look like [ID:]X,Y[,LABEL]"),
        (["1,2,1,1"], [], "must look like [ID:]X,Y[,LABEL]"),
        (["one:1,2"], [], "must look like"),
        (["0:1,2"], [], "the id must be from 1 to 255"),
        (["256:1,2"], [], "the id must be from 1 to 255"),
        (["1,2,0.5"], [], "the label must be 1 (foreground) or 0"),
        ([], ["1,2,3"], "must look like [ID:]X0,Y0,X1,Y1"),
        ([], ["1:1,2,3,4", "1:5,6,7,8"], "as in --box 2:5,6,7,8"),
        ([], ["5,5,5,9"], "has no area"),
    ],
)
def test_what_cannot_be_meant_is_explained(points, boxes, says):
    with pytest.raises(PromptError) as error:
        read_prompts(points, boxes, None)
    assert says in str(error.value)


def test_a_box_may_be_drawn_from_any_corner():
    (prompt,) = read_prompts([], ["30,2,1,40"], None)
    assert prompt.box.tolist() == [1, 2, 30, 40]


def test_background_clicks_need_something_that_they_are_not(tmp_path):
    with pytest.raises(PromptError, match="Object 2 has background clicks only"):
        read_prompts(["5,5", "2:7,7,0"], [], None)
    assert len(read_prompts(["7,7,0"], ["1,2,30,40"], None)) == 1
    Image.fromarray(np.full((8, 10), 2, np.uint8)).save(tmp_path / "mask.png")
    assert len(read_prompts(["2:7,7,0"], [], tmp_path / "mask.png")) == 2
