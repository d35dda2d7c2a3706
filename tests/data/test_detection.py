"""What may be said in words, and how it is read."""

import pytest

from streamer.data.detection import MAX_PHRASES, Detection, phrases_of
from streamer.errors import PromptError


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("dog", ("dog",)),
        (" person ;  red \t ball", ("person", "red ball")),
        ("cup;cup;mug", ("cup", "mug")),
        (["person", "red ball; cup"], ("person", "red ball", "cup")),
        ("犬; 🐕", ("犬", "🐕")),
    ],
)
def test_phrases_are_read_once_each_in_their_order(text, phrases):
    assert phrases_of(text) == phrases


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'A phrase is empty: write words between the semicolons, as in "person; red ball"'),
        ("dog;; cat", "A phrase is empty"),
        (" \n", "A phrase is empty"),
        ("word " * 500, "A phrase of 500 words and 2499 characters is no name of a thing"),
        (
            "; ".join(f"thing {number}" for number in range(80)),
            f"80 phrases are too many at once: give up to {MAX_PHRASES}",
        ),
    ],
)
def test_what_cannot_be_looked_for_is_told_in_one_sentence(text, message):
    with pytest.raises(PromptError, match=message) as caught:
        phrases_of(text)
    assert "\n" not in str(caught.value)


def test_a_detection_is_short_in_print():
    assert repr(Detection("dog", 0.876, (1.2, 2, 30, 40))) == "Detection('dog', score=0.88, box_xyxy=(1, 2, 30, 40))"
