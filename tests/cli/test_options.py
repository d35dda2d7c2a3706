"""From what is written on the command line to prompts."""

import numpy as np
import pytest
from PIL import Image

from streamer.cli.options import read_prompts
from streamer.errors import PromptError


def test_points_and_boxes_of_one_id_are_one_prompt():
    first, second = read_prompts(["10,20", "2:5,6", "1:30.5,40,0"], ["2:1,2,30,40"], None)
    assert (first.object_id, second.object_id) == (1, 2)
    np.testing.assert_array_equal(first.point_coords, [[10, 20], [30.5, 40]])
    np.testing.assert_array_equal(first.point_labels, [1, 0])
    assert first.box is None
    np.testing.assert_array_equal(second.point_coords, [[5, 6]])
    np.testing.assert_array_equal(second.box, [1, 2, 30, 40])


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
        ([], ["1,2,3,4", "5,6,7,8"], "as in --box 2:5,6,7,8"),
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
