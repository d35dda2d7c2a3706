from pathlib import Path

from streamer.cli.options import read_viewers


def test_rerun_is_a_file_or_its_viewer():
    assert read_viewers(None, False) == (None, frozenset())
    assert read_viewers("run.rrd", True) == (Path("run.rrd"), {"foxglove"})
    assert read_viewers("live", True) == (None, {"rerun", "foxglove"})
