"""What annotate and live have in common on the command line."""

import inspect

import pytest

from streamer.cli import annotate, live
from streamer.cli.run_options import read_wanted
from streamer.errors import ConfigError


def names_of(command):
    return list(inspect.signature(command).parameters)


@pytest.mark.parametrize(
    ("command", "last"), [(annotate.annotate, "hdr"), (live.live, "json_log")], ids=["annotate", "live"]
)
def test_the_shared_options_follow_the_sources_and_come_before_what_only_one_has(command, last):
    shared, names = names_of(read_wanted), names_of(command)
    assert names[: 1 + len(shared)] == ["sources", *shared]
    assert names[-1] == last
    assert "options" not in names


def test_they_are_read_into_settings_outputs_prompts_and_distances(tmp_path):
    settings, targets, prompts, known = read_wanted(
        points=["7:80,60"],
        known_distances=["10,20=1.5", "30,40=2"],
        everything=True,
        masks=tmp_path,
        rerun="live",
        masks_in_jsonl="box",
        fov=70.0,
    )
    assert settings.tracking.everything
    assert settings.camera.fov_deg == 70
    assert (targets.masks, targets.viewers, targets.masks_in_jsonl) == (tmp_path, {"rerun"}, "box")
    assert [prompt.object_id for prompt in prompts] == [7]
    assert known is not None
    assert list(targets) == [tmp_path]


def test_what_is_said_wrongly_is_refused():
    with pytest.raises(ConfigError, match="say rle, box or none"):
        read_wanted(masks_in_jsonl="all")
