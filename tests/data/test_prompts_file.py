"""Prompts from a file."""

import pytest

from streamer.data.prompts_file import read_prompts_file
from streamer.errors import PromptError


def test_each_entry_is_an_object(tmp_path):
    path = tmp_path / "prompts.yaml"
    path.write_text("- {points: [[640, 360], [10, 20, 0]], label: cup}\n- {box: [1, 2, 3, 4], id: 7}\n")
    cup, box = read_prompts_file(path)
    assert (cup.point_coords.tolist(), cup.point_labels.tolist()) == ([[640, 360], [10, 20]], [1, 0])
    assert (cup.label, cup.object_id, cup.box) == ("cup", None, None)
    assert (box.box.tolist(), box.object_id) == ([1, 2, 3, 4], 7)
    path.write_text("")
    assert read_prompts_file(path) == []


@pytest.mark.parametrize("text", ["cup", "- {point: [1, 2]}", "- {points: [[1]]}", "- {box: [1, 2", "- 3"])
def test_what_fits_nothing_is_refused_in_one_sentence(tmp_path, text):
    path = tmp_path / "prompts.yaml"
    path.write_text(text)
    with pytest.raises(PromptError, match=r"do not fit \(.*\): write a list like") as caught:
        read_prompts_file(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(PromptError, match="cannot be read"):
        read_prompts_file(tmp_path / "nowhere.yaml")
