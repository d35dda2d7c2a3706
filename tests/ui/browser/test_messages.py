"""What the page says, and what it may not say."""

from __future__ import annotations

import json

import pytest

from streamer.errors import ServeError
from streamer.ui.browser.messages import Look, Shown, parse
from streamer.ui.window import events


def said(**message):
    return parse(json.dumps(message))


def test_clicks_and_boxes_say_on_which_frame():
    click = said(type="click", frame_id=7, x=10.5, y=20, label=0)
    assert click.events() == [events.Click(10.5, 20.0, 0, 7)]
    box = said(type="box", frame_id=8, x0=1, y0=2, x1=30, y1=40)
    assert box.events() == [events.DragBox(1.0, 2.0, 30.0, 40.0, 8)]


def test_buttons_and_the_list():
    assert said(type="select", object_id=3).events() == [events.SelectObject(3)]
    assert said(type="select", object_id=None).events() == [events.NewObject()]
    assert said(type="remove", object_id=3).events() == [events.SelectObject(3), events.Delete()]
    assert said(type="press", button="undo").events() == [events.Undo()]
    assert said(type="press", button="next").events() == [events.TurnPage(1)]


def test_a_known_distance():
    message = said(type="distance", frame_id=7, x=30.0, y=20.5, meters=1.25)
    assert message.events() == [events.KnownDistance(30.0, 20.5, 1.25, 7)]


def test_words():
    assert said(type="words", text="  red \n ball ").events() == [events.LookFor("red ball")]
    assert said(type="words", text=" ").events() == [events.ForgetPhrases()]


def test_what_is_said_about_the_page_itself():
    assert said(type="look", masks=False, depth="overlay") == Look(type="look", masks=False, depth="overlay")
    assert said(type="shown", number=4) == Shown(type="shown", number=4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"type": "quit"}',
        '{"type": "press", "button": "quit"}',
        '{"type": "click", "frame_id": 1, "x": 1, "y": 1}',
        '{"type": "click", "frame_id": 1, "x": 1, "y": 1, "label": 2}',
        '{"type": "click", "frame_id": -1, "x": 1, "y": 1, "label": 1}',
        '{"type": "click", "frame_id": 1e400, "x": 1, "y": 1, "label": 1}',
        '{"type": "click", "frame_id": 1, "x": NaN, "y": 1, "label": 1}',
        '{"type": "click", "frame_id": 1, "x": "1", "y": 1, "label": 1}',
        '{"type": "click", "frame_id": 1, "x": 1, "y": 1, "label": 1, "more": 1}',
        '{"type": "box", "frame_id": 1, "x0": 5, "y0": 1, "x1": 5, "y1": 9}',
        '{"type": "remove", "object_id": 0}',
        '{"type": "distance", "frame_id": 1, "x": 1, "y": 1, "meters": 0}',
        '{"type": "distance", "frame_id": 1, "x": 1, "y": 1, "meters": "1"}',
        '{"type": "words", "text": "' + "x" * 201 + '"}',
        '{"type": "look", "masks": 1, "depth": "side"}',
        '{"type": "look", "masks": true, "depth": "everywhere"}',
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ServeError, match="cannot be understood"):
        parse(text)
