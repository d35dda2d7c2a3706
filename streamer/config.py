"""Settings: typed, frozen, read from the YAML presets of ``configs/``.

Each section is the frozen parameters object of the part that it sets, handed over whole. Only the command line, what
measures, and the engine read this module.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from streamer.data.parameters import Parameters
from streamer.errors import ConfigError
from streamer.geometry.parameters import CameraParameters
from streamer.models.parameters import AutomaticParameters, DepthParameters, DetectorParameters, SegmenterParameters
from streamer.motion.parameters import FlowParameters
from streamer.sinks.parameters import RobotLogParameters, VideoParameters
from streamer.stages.parameters import ScheduleParameters
from streamer.tracking.parameters import TrackingParameters
from streamer.ui.parameters import OverlayParameters


class Config(Parameters):
    """One preset, whole. Unknown keys are refused with the list of the valid ones."""

    device: str = "auto"
    show: bool | None = None
    text: str | None = None
    segmenter: SegmenterParameters | None = SegmenterParameters()
    depth: DepthParameters | None = DepthParameters()
    detector: DetectorParameters = DetectorParameters()
    schedule: ScheduleParameters = ScheduleParameters()
    flow: FlowParameters = FlowParameters()
    tracking: TrackingParameters = TrackingParameters()
    overlay: OverlayParameters = OverlayParameters()
    automatic: AutomaticParameters = AutomaticParameters()
    camera: CameraParameters = CameraParameters()
    video: VideoParameters = VideoParameters()
    robot_logs: RobotLogParameters = RobotLogParameters()


_LONGEST_VALUE = 80
"""Characters of a wrong value that are shown."""


def presets_folder() -> Path:
    """Where the presets lie: inside the installed package, or beside it in a checkout."""
    packaged = Path(__file__).parent / "configs"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "configs"


def presets() -> list[str]:
    """Names of the presets."""
    return sorted(path.stem for path in presets_folder().glob("*.yaml"))


def load(name_or_file: str | Path = "tiny", overrides: str | Sequence[str] = ()) -> Config:
    """Read a preset or a YAML file and apply ``section.key=value`` overrides (values in YAML).

    Raises:
        ConfigError: No such preset or file, not YAML, an unknown key, or a value that does not fit.
    """
    entries = _read(name_or_file)
    for override in [overrides] if isinstance(overrides, str) else overrides:
        _apply(entries, override)
    try:
        return Config.model_validate(entries)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None


def _read(name_or_file: str | Path) -> dict[str, Any]:
    path = Path(name_or_file)
    if path.suffix not in (".yaml", ".yml"):
        path = presets_folder() / f"{name_or_file}.yaml"
        if not path.is_file():
            raise ConfigError(
                f"There is no preset {str(name_or_file)!r}: choose one of {', '.join(presets())}, or name a .yaml file."
            )
    try:
        entries = deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"The config {path} cannot be read ({error.strerror}): check the path.") from None
    except RecursionError:
        raise ConfigError(f"The config {path} is nested too deeply: write sections with keys.") from None
    except (yaml.YAMLError, ValueError) as error:  # a date that there is not is a ValueError
        raise ConfigError(f"The config {path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        raise ConfigError(f"The config {path} must hold sections with keys, but it holds a {type(entries).__name__}.")
    return entries


@lru_cache(maxsize=4)
def _parsed(text: str) -> Any:
    """What YAML says; a batch asks for the same preset for each of its videos. Not to be changed."""
    return yaml.safe_load(text)


def _apply(entries: dict[str, Any], override: str) -> None:
    keys, separator, value = override.partition("=")
    if not separator or not keys.strip():
        raise ConfigError(f"--set {override!r} must look like section.key=value.")
    *sections, key = keys.strip().split(".")
    for section in sections:
        if not isinstance(entries.get(section), dict):
            entries[section] = {}
        entries = entries[section]
    try:
        entries[key] = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError(f"--set {_short(override)}: the value is not valid YAML.") from None


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"The config entry {where} does not fit: {first['msg']} (it is {_short(first['input'])})."
    valid = _keys_beside(first["loc"])
    close = difflib.get_close_matches(str(first["loc"][-1]), valid, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"There is no config key {where}{hint}: valid here are {', '.join(valid)}."


def _short(value: object) -> str:
    """A value in few words: a file of 400 bytes can hold one that would fill the screen for days."""
    if isinstance(value, dict | list):
        return f"a {type(value).__name__} of {len(value)} entries"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = Config
    for part in location[:-1]:
        default = section.model_fields[str(part)].default
        section = type(default)
    return sorted(section.model_fields)
