"""How often somebody may ask."""

from __future__ import annotations

from streamer.ui.browser.rates import Bucket, Buckets


def test_a_bucket_lets_so_many_through_at_once_and_then_as_many_as_flow_in():
    bucket = Bucket(rate_hz=2, burst=3)
    assert [bucket.take(10.0) for _ in range(5)] == [True, True, True, False, False]
    assert not bucket.take(10.4)
    assert bucket.take(10.6)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_everyone_has_a_bucket_of_their_own_and_nobody_is_remembered_for_ever():
    buckets = Buckets(rate_hz=1, burst=1)
    assert buckets.of("a").take(0.0)
    assert not buckets.of("a").take(0.0)
    assert buckets.of("b").take(0.0)
    for number in range(3000):
        buckets.of(str(number))
    assert buckets.of("a").take(0.0), "it was forgotten, so that memory does not grow"
