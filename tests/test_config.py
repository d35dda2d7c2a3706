import pytest
import yaml

from streamer.config import Config, _parsed, load, presets, presets_folder
from streamer.errors import ConfigError


@pytest.mark.parametrize("name", presets())
def test_every_preset_loads(name):
    assert isinstance(load(name), Config)


def test_the_shipped_presets_are_there():
    assert {"tiny", "sam-b", "sam-h", "robot"} <= set(presets())


def test_the_default_preset_names_every_key_with_its_default():
    entries = yaml.safe_load((presets_folder() / "tiny.yaml").read_text())
    assert entries == Config().model_dump(mode="json")


@pytest.mark.parametrize("name", presets())
def test_every_preset_says_what_it_is_for(name):
    assert (presets_folder() / f"{name}.yaml").read_text().startswith("# ")


def test_every_key_of_the_default_preset_is_explained():
    for line in (presets_folder() / "tiny.yaml").read_text().splitlines():
        key, _, value = line.partition(":")
        if not key.startswith("#") and value.strip():
            assert "#" in line, line


def test_overrides_replace_one_entry():
    config = load("tiny", ["schedule.keyframe_interval=4", "depth=null", "device=cpu"])
    assert config.schedule.keyframe_interval == 4
    assert config.schedule.depth_interval == Config().schedule.depth_interval
    assert config.depth is None
    assert config.device == "cpu"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["schedule.keyframe_intervall=4"], "did you mean keyframe_interval.*valid here are depth_interval"),
        (["sched.keyframe_interval=4"], "There is no config key sched .did you mean schedule"),
        (["schedule.keyframe_interval=0"], "schedule.keyframe_interval does not fit"),
        (["overlay.depth=left"], "overlay.depth does not fit"),
        (["keyframes"], "must look like section.key=value"),
        (["schedule.depth_interval={"], "not valid YAML"),
        (["segmenter.model=2026-13-45"], "not valid YAML"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(overrides, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load("tiny", overrides)
    assert "\n" not in str(caught.value)


def test_one_override_needs_no_list():
    assert load("tiny", "tracking.max_objects=2") == load("tiny", ["tracking.max_objects=2"])


def test_unknown_presets_and_bad_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no preset 'huge': choose one of .*sam-b.*tiny"):
        load("huge")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "missing.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(ConfigError, match="holds a list"):
        load(tmp_path / "list.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load(tmp_path / "broken.yaml")


def test_a_file_may_name_only_what_it_changes(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("schedule:\n  depth_interval: 2\n")
    assert load(path).schedule.depth_interval == 2
    path.write_text("")
    assert load(path) == Config()


def test_a_preset_is_parsed_once_for_many_videos_and_none_changes_it_for_others(monkeypatch):
    calls = []
    parse = yaml.safe_load
    monkeypatch.setattr(yaml, "safe_load", lambda text: calls.append(text) or parse(text))
    _parsed.cache_clear()
    assert load("tiny", ["video.crf=30"]).video.crf == 30
    assert load("tiny").video.crf == 20
    assert sum(len(text) > 100 for text in calls) == 1
