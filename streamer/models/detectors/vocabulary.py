"""The words that the tiny detector knows, and which of its outputs each of them means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from streamer.errors import PromptError
from streamer.models.detectors.colors import COLORS

WORDS_FILE = Path(__file__).with_name("words.yaml")
NEAREST = 3
"""Known words that are named when one is unknown."""
_ARTICLES = re.compile(r"^(a|an|the|any|every|all|some)\s+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means to the tiny detector.

    Attributes:
        word: As it stands in the vocabulary.
        coco: Places among COCO's 80 names; any of them will do.
        imagenet: ImageNet's class numbers; any of them will do.
        color: One of `COLORS` that the thing must have; None where any will do.
    """

    word: str
    coco: tuple[int, ...]
    imagenet: tuple[int, ...]
    color: str | None = None


@cache
def vocabulary() -> dict[str, Meaning]:
    """Every word that is known, in lower case: COCO's names and their synonyms, kinds of things, ImageNet's names."""
    content: dict[str, Any] = yaml.load(WORDS_FILE.read_text(encoding="utf-8"), _FAST_LOADER)
    coco = list(content["coco"])
    imagenet: dict[str, tuple[int, ...]] = {}
    for number, names in enumerate(content["imagenet"]):
        for word in str(names).split(", "):
            imagenet[word] = (*imagenet.get(word, ()), number)
    words = {word: Meaning(word, (), numbers) for word, numbers in imagenet.items()}
    for word, kind in content["kinds"].items():
        places = tuple(coco.index(name) for name in kind["coco"])
        words[word] = Meaning(word, places, tuple(_numbers(kind["imagenet"])))
    for place, (name, others) in enumerate(content["coco"].items()):
        for word in (name, *others):
            words[word] = Meaning(word, (place,), ())
    return words


_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def meaning_of(phrase: str) -> Meaning:
    """What a phrase means: a known word in the singular or plural, with or without an article or a color before it.

    Raises:
        PromptError: It is not known; the sentence names the nearest words that are.
    """
    text = _ARTICLES.sub("", " ".join(phrase.lower().replace("-", " ").split()))
    known = _by_spelling()
    for candidate in _singulars(text):
        if candidate in known:
            return known[candidate]
    first, _, rest = text.partition(" ")
    if rest and first in COLORS:
        for candidate in _singulars(rest):
            if candidate in known:
                found = known[candidate]
                return Meaning(found.word, found.coco, found.imagenet, COLORS[first])
    raise PromptError(
        f"The bundled detector does not know {_short(phrase)!r}, which is none of its 2,000 words; the nearest are "
        f"{', '.join(nearest(text))}: say one of them, or run `streamer models pull IDEA-Research/grounding-dino-tiny` "
        "and add --config text for words of any kind."
    )


def nearest(text: str, count: int = NEAREST) -> list[str]:
    """The known words that a text is most like: those that share a word with it, and those that are spelled like it."""
    known = _by_spelling()
    own = {single for word in text.split() for single in _singulars(word)}
    sharing = sorted((word for word in known if own & set(word.split())), key=lambda word: (len(word), word))
    alike = difflib.get_close_matches(text[:80], list(known), count, cutoff=0.5)
    found = dict.fromkeys([*alike[:1], *sharing[:count], *alike, "person", "dog", "car"])
    return [known[word].word for word in found][:count]


@cache
def _by_spelling() -> dict[str, Meaning]:
    return {word.replace("-", " "): meaning for word, meaning in vocabulary().items()}


def _singulars(text: str) -> Iterator[str]:
    """The text itself, and what it may be the plural of."""
    yield text
    for ending, singular in (("ies", "y"), ("ves", "fe"), ("ves", "f"), ("es", ""), ("s", "")):
        if text.endswith(ending) and len(text) > len(ending) + 1:
            yield text[: -len(ending)] + singular


def _numbers(ranges: list[int | str]) -> Iterator[int]:
    for one in ranges:
        first, _, last = str(one).partition("-")
        yield from range(int(first), int(last or first) + 1)


def _short(phrase: str) -> str:
    return phrase if len(phrase) <= 60 else f"{phrase[:57]}..."


def place_of(meaning: Meaning) -> int:
    """Where a meaning's word stands in the vocabulary, in whose order the thresholds are."""
    return _places()[meaning.word]


@cache
def _places() -> dict[str, int]:
    return {word: place for place, word in enumerate(vocabulary())}
