"""The words that the tiny detector knows."""

import pytest

from streamer.errors import PromptError
from streamer.models.detectors.vocabulary import meaning_of, nearest, place_of, vocabulary


def test_all_of_both_data_sets_have_a_word_and_every_word_means_something():
    words = vocabulary().values()
    assert {place for meaning in words for place in meaning.coco} == set(range(80))
    numbers = {number for meaning in words for number in meaning.imagenet}
    assert len(numbers) > 980, "all but those that are among COCO's names, and of no other kind"
    assert all(meaning.coco or meaning.imagenet for meaning in words)
    assert 1500 < len(words) < 3000
    assert all(word == word.lower() for word in vocabulary())


@pytest.mark.parametrize(
    ("phrase", "word"),
    [
        ("dog", "dog"),
        ("  The  Dogs ", "dog"),
        ("knives", "knife"),
        ("buses", "bus"),
        ("a hot-dog", "hot dog"),
        ("people", "people"),
        ("Golden Retriever", "golden retriever"),
        ("fire truck", "fire truck"),
        ("fruit", "fruit"),
    ],
)
def test_words_are_known_however_they_are_said(phrase, word):
    assert meaning_of(phrase).word == word


def test_synonyms_mean_the_same_and_kinds_mean_all_of_their_kind():
    assert meaning_of("sofa").coco == meaning_of("couch").coco
    animals, dogs = meaning_of("animal"), meaning_of("terrier")
    assert set(meaning_of("dog").coco) <= set(animals.coco)
    assert set(dogs.imagenet) <= set(animals.imagenet)
    assert not set(meaning_of("vehicle").coco) & set(animals.coco)


def test_a_color_before_a_word_is_asked_of_the_thing():
    meaning = meaning_of("a red ball")
    assert (meaning.word, meaning.color) == ("ball", "red")
    assert meaning.imagenet == meaning_of("ball").imagenet
    assert meaning_of("orange").color is None


@pytest.mark.parametrize("phrase", ["unicorn", "犬", "🐕", "zebra crossing", "x" * 90, "of", "red"])
def test_what_is_not_known_is_told_in_one_sentence_with_the_nearest_words_and_the_way_to_all_others(phrase):
    with pytest.raises(PromptError, match="does not know") as caught:
        meaning_of(phrase)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "--config text" in sentence
    assert len(sentence) < 330
    for word in nearest(phrase):
        assert word in vocabulary()
        assert word in sentence


def test_the_nearest_share_a_word_or_most_of_their_letters():
    assert "traffic light" in nearest("traffic lamp")
    assert nearest("persn")[0] == "person"


def test_places_follow_the_order_of_the_words():
    assert [place_of(meaning) for meaning in vocabulary().values()] == list(range(len(vocabulary())))
