"""The line into which a person types what to find."""

import numpy as np
import pytest

from streamer.ui.window.events import ForgetPhrases, LookFor
from streamer.ui.window.layout import Layout
from streamer.ui.window.phrase_line import PhraseLine


def typed(*codes):
    line = PhraseLine("")
    return line, [event for code in codes if (event := line.key(code))]


@pytest.mark.parametrize("enter", [10, 13])
def test_enter_says_what_was_typed_and_an_empty_line_forgets(enter):
    line, events = typed(*b"red baxx", 8, 127, *b"ll", enter)
    assert events == [LookFor("red ball")]
    assert line.text is None
    assert typed(*b"  ", enter)[1] == [ForgetPhrases()]


def test_escape_closes_the_line_and_says_nothing():
    line, events = typed(*b"dog", 27)
    assert (line.text, events) == (None, [])
    assert line.key(ord("d")) is None


def test_keys_that_are_no_letters_change_nothing():
    line, events = typed(*b"dog", 9, 0xFF51, 0x2E0000)
    assert (line.text, events) == ("dog", [])


@pytest.mark.parametrize("text", ["", "dog", "a very long line of words " * 9])
@pytest.mark.parametrize("size", [(800, 500), (60, 40)])
def test_it_is_drawn_over_the_lower_bar_only_and_only_while_it_is_open(text, size):
    layout = Layout.fit(size, (320, 180), (320, 180), False)
    canvas = np.full((size[1], size[0], 3), 128, np.uint8)
    PhraseLine().draw(canvas, layout)
    assert (canvas == 128).all()
    PhraseLine(text).draw(canvas, layout)
    assert (canvas[size[1] - layout.bar_px :] != 128).any()
    assert (canvas[: size[1] - layout.bar_px] == 128).all()
