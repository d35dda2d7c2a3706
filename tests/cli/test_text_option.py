"""``--text``: read before anything slow begins."""

import pytest

from streamer.cli.text_option import with_text
from streamer.config import Config
from streamer.errors import PromptError
from streamer.models.parameters import DetectorParameters


def test_what_is_said_goes_into_the_config_and_replaces_what_stands_there():
    assert with_text(Config(), None).text is None
    assert with_text(Config(), " Dogs ;person;person").text == "Dogs; person"
    assert with_text(Config(text="cat"), None).text == "cat"
    assert with_text(Config(text="cat"), "dog").text == "dog"


def test_other_detectors_are_given_any_words():
    config = Config(detector=DetectorParameters(model="IDEA-Research/grounding-dino-tiny"))
    assert with_text(config, "a man with a hat").text == "a man with a hat"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unicorn", "does not know 'unicorn'"),
        ("🐕", "does not know '🐕'"),
        ("dog;", "A phrase is empty"),
        ("dog " * 500, "A phrase of 500 words"),
        (";".join(f"dog {number}" for number in range(80)), "80 phrases are too many"),
    ],
)
def test_what_cannot_be_found_is_refused_in_one_sentence(text, message):
    with pytest.raises(PromptError, match=message) as caught:
        with_text(Config(), text)
    assert "\n" not in str(caught.value)


def test_without_masks_nothing_can_be_followed():
    with pytest.raises(PromptError, match="Masks are left out"):
        with_text(Config(segmenter=None), "dog")
