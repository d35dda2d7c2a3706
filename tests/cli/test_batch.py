"""What the command line and the rows of a manifest ask for, before anything is done."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.batch.listing import Entry
from streamer.batch.record import Record
from streamer.cli.batch import _OrderReader
from streamer.errors import StreamerError

OPTIONS = {"config": "tiny", "output": Path("out"), "points": ["1,2"], "no_depth": False, "overrides": ["video.crf=30"]}


def order_of(place="list.csv, line 2", **row):
    entry = Entry("clip.mp4", "clip", row, place)
    return _OrderReader(OPTIONS).order(entry, Record("clip", "clip.mp4"), Path("out"))


def test_a_row_says_what_differs_from_the_command_line():
    order = order_of(point="2:30,40; 2:50,60,0", **{"no-depth": "yes", "set": "video.crf=10"})
    assert order.config.depth is None
    assert order.config.video.crf == 10
    assert [prompt.object_id for prompt in order.job.prompts] == [2]
    np.testing.assert_array_equal(order.job.prompts[0].point_labels, [1, 0])
    assert order.job.targets.output == Path("out")


def test_what_a_row_leaves_out_stays():
    order = order_of(masks="masks")
    assert order.config.video.crf == 30
    assert order.config.depth is not None
    assert order.job.targets.masks == Path("masks")
    np.testing.assert_array_equal(order.job.prompts[0].point_coords, [[1, 2]])


def test_a_default_that_is_said_counts():
    assert order_of(config="robot").config.show is not None or order_of(config="robot").config != order_of().config
    reader = _OrderReader(OPTIONS | {"config": "robot"})
    order = reader.order(Entry("clip.mp4", "clip", {"config": "tiny"}, "x"), Record("clip", "clip.mp4"), Path("out"))
    assert order.config == order_of().config


def test_a_row_may_give_a_mask(tmp_path):
    Image.fromarray(np.uint8([[0, 1], [2, 2]])).save(tmp_path / "mask.png")
    order = order_of(init_mask=str(tmp_path / "mask.png"), point="3:0,0")
    assert [prompt.object_id for prompt in order.job.prompts] == [3, 1, 2]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"pointt": "1,2"}, "no option 'pointt'"),
        ({"point": "1"}, "must look like"),
        ({"video-track": "two"}, "--video-track"),
        ({"init-mask": "nowhere.png"}, "nowhere.png"),
        ({"config": "tiniest"}, "tiniest"),
        ({"jsonl": "-"}, "standard output"),
        ({"sources": "other.mp4"}, "no option 'sources'"),
    ],
)
def test_a_row_that_is_wrong_says_where(row, said):
    with pytest.raises(StreamerError, match=f"list.csv, line 2: .*{said}"):
        order_of(**row)


def test_one_file_for_many_is_refused(monkeypatch, tmp_path, capsys):
    from streamer.__main__ import main

    monkeypatch.setattr(sys, "argv", ["streamer", "batch", str(tmp_path), "-o", "out.mp4"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "name a folder" in capsys.readouterr().err
