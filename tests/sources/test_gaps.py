"""Missing frames are told where the rate is steady, and only there."""

import numpy as np
import pytest

from streamer.sources.gaps import Gaps, in_words


def gaps_in(times_s):
    gaps = Gaps()
    for time_s in times_s:
        gaps.add(time_s)
    return gaps.found()


@pytest.mark.parametrize("rate_hz", [10, 24000 / 1001, 25, 30, 60, 240])
@pytest.mark.parametrize("clock_hz", [1000, 90_000])
def test_frames_that_are_taken_out_are_found(rate_hz, clock_hz):
    times_s = np.round(np.arange(60) / rate_hz * clock_hz) / clock_hz
    assert gaps_in(times_s) == []
    kept = np.delete(times_s, [1, 20, 21, 22, 40])
    found = gaps_in(kept)
    assert [count for _, count in found] == [1, 3, 1]
    assert [time_s for time_s, _ in found] == pytest.approx(times_s[[0, 19, 39]])


def test_a_rate_that_varies_by_itself_has_no_gaps():
    rng = np.random.default_rng(0)
    assert gaps_in(np.cumsum(rng.uniform(0.01, 0.2, 300))) == []
    assert gaps_in(np.cumsum([1 / 30, 1 / 20] * 50)) == []  # 24 frames a second shown as 60 fields
    assert gaps_in([0, 1, 5]) == []


def test_a_frame_that_comes_late_is_not_missing():
    # Seven frames are at hand where nine should be; two are moved on by the least step, as the reader does it.
    assert gaps_in([*np.arange(10) * 0.04, 0.56, 0.5601, 0.60, 0.6001, 0.64, 0.68]) == [(0.36, 2)]


def test_it_is_said_in_words():
    assert in_words([(1.24, 3)]) == "3 frames are missing: 3 after 1.24 s"
    assert in_words([(0, 1)]) == "1 frame is missing: 1 after 0.00 s"
    assert in_words([(1, 1), (2, 2)]) == "3 frames are missing: 1 after 1.00 s and 2 after 2.00 s"
    assert in_words([(k, 1) for k in range(9)]).endswith("and others at 4 more places")
