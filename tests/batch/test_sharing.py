"""Work is divided without anything lost or done twice."""

import pytest

from streamer.batch.listing import Entry
from streamer.batch.sharing import cores_for, part_of, read_shard
from streamer.errors import ConfigError


def test_the_parts_are_the_whole_and_each_video_is_in_one():
    entries = [Entry(f"{number}.mp4", str(number)) for number in range(13)]
    parts = [part_of(entries, part, 5) for part in range(1, 6)]
    assert sorted((entry for part in parts for entry in part), key=entries.index) == entries
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2"])
def test_a_part_that_there_is_not_is_refused(text):
    with pytest.raises(ConfigError, match="2/8"):
        read_shard(text)


def test_cores_are_divided(monkeypatch):
    monkeypatch.setattr("streamer.batch.sharing.core_count", lambda: 8)
    assert cores_for(None, None, 100) == (4, 2)
    assert cores_for(3, None, 100) == (3, 2)
    assert cores_for(None, None, 1) == (1, 8)
    assert cores_for(20, None, 100) == (20, 1)
    assert cores_for(None, 4, 100) == (2, 4)
    assert cores_for(5, 3, 100) == (5, 3)
