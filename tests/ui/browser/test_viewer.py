"""What is on its way to a page: never more than keeps the way busy."""

from __future__ import annotations

import asyncio

from streamer.ui.browser.viewer import UnderWay


def has_room(under_way):
    async def look():
        try:
            await asyncio.wait_for(under_way.room(), 0.001)
        except TimeoutError:
            return False
        return True

    return asyncio.run(look())


def test_a_page_that_draws_nothing_gets_two_pictures():
    under_way = UnderWay(0.0)
    assert [under_way.send(float(at)) for at in range(2)] == [1, 2]
    assert not has_room(under_way)


def test_what_has_been_drawn_makes_room_and_says_when_it_was_captured():
    under_way = UnderWay(0.0)
    first, second = under_way.send(10.0), under_way.send(11.0)
    assert under_way.drawn(first) == 10.0
    assert has_room(under_way)
    assert under_way.drawn(first) is None
    assert under_way.drawn(second) == 11.0
    assert under_way.drawn(99) is None


def test_the_one_drawn_stands_for_those_before_it():
    under_way = UnderWay(0.1)
    for at in range(4):
        under_way.send(float(at))
    assert not has_room(under_way)
    assert under_way.drawn(4) == 3.0
    assert [under_way.send(9.0) for _ in range(3)] == [5, 6, 7]
    assert has_room(under_way)


def test_a_frame_that_is_held_says_nothing_of_how_long_pictures_take():
    under_way = UnderWay(0.0)
    assert under_way.drawn(under_way.send(None)) is None
    assert has_room(under_way)


def test_a_long_way_holds_more_but_not_any_number():
    most = []
    for round_trip_s in (0.0, 0.03, 0.1, 5.0):
        under_way = UnderWay(round_trip_s)
        count = 0
        while has_room(under_way):
            under_way.send(0.0)
            count += 1
        most.append(count)
    assert most == [2, 2, 4, 8]
