"""The options that commands share, and what is made of their values.

Nothing slow is imported before a value is read, so that ``--help`` need not wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.config import Config

MOST_OBJECTS = 64
"""That are followed where everything is: each is carried, refined and drawn on every frame."""
WHAT, WHERE, HOW = "What to follow", "What to write", "How to run"

ConfigName = Annotated[
    str, typer.Option("--config", "-c", metavar="NAME|FILE.yaml", help="A preset or a file.", rich_help_panel=HOW)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one config entry.", rich_help_panel=HOW),
]
NoDepth = Annotated[bool, typer.Option("--no-depth", metavar="", help="Leave depth out.", rich_help_panel=HOW)]
NoMasks = Annotated[bool, typer.Option("--no-masks", metavar="", help="Leave masks out.", rich_help_panel=HOW)]
Show = Annotated[
    bool | None,
    typer.Option(
        "--show/--no-show", metavar="", help="The window. `live` shows it, `annotate` does not.", rich_help_panel=HOW
    ),
]
Points = Annotated[
    list[str] | None,
    typer.Option(
        "--point",
        metavar="[ID:]X,Y[,LABEL]",
        help="A click on the first frame; LABEL 1 foreground (default), 0 background.",
        rich_help_panel=WHAT,
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option("--box", metavar="[ID:]X0,Y0,X1,Y1", help="A box on the first frame.", rich_help_panel=WHAT),
]
Level = Annotated[
    str | None,
    typer.Option(
        "--mask-level",
        metavar="part|object|auto",
        help="Whether a click means a part, the whole, or what is clearest.",
        rich_help_panel=WHAT,
    ),
]
InitMask = Annotated[
    Path | None,
    typer.Option(metavar="FILE.png", help="Indexed PNG: each non-zero value is an object.", rich_help_panel=WHAT),
]
Everything = Annotated[
    bool,
    typer.Option(
        "--everything",
        metavar="",
        help="All stable regions, new ones as they appear; of photos every mask.",
        rich_help_panel=WHAT,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|DIR",
        help=".mp4, .mkv, .mov, .webm, .gif (.png or .jpg for a picture, %05d.png for many), or a folder.",
        rich_help_panel=WHERE,
    ),
]
Masks = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="One indexed PNG per frame, as DAVIS has them.", rich_help_panel=WHERE),
]
DepthMaps = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="16-bit PNGs: millimeters, or 1000 x inverse depth.", rich_help_panel=WHERE),
]
Jsonl = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|-", help="One JSON line per frame: objects, masks, depth; - to pipe it.", rich_help_panel=WHERE
    ),
]
MasksInJsonl = Annotated[
    str,
    typer.Option(
        "--masks-in-jsonl", metavar="rle|box|none", help="What the lines hold of masks.", rich_help_panel=WHERE
    ),
]
Mcap = Annotated[
    Path | None,
    typer.Option(metavar="FILE.mcap", help="ROS 2 messages, for Foxglove and rosbag2.", rich_help_panel=WHERE),
]
Rerun = Annotated[
    str | None,
    typer.Option(metavar="FILE.rrd|live", help="A Rerun recording, or its viewer meanwhile.", rich_help_panel=WHERE),
]
Foxglove = Annotated[
    bool,
    typer.Option(
        "--foxglove", metavar="", help="Serve Foxglove meanwhile, at ws://127.0.0.1:8765.", rich_help_panel=WHERE
    ),
]
VideoTrack = Annotated[
    int | None,
    typer.Option(metavar="N", help="Which video of a file that holds several, from 1.", min=1, rich_help_panel=HOW),
]


class HdrMode(StrEnum):
    """What becomes of HDR."""

    TONE_MAP = "tone-map"
    KEEP = "keep"


HdrOption = Annotated[
    HdrMode,
    typer.Option("--hdr", help="HDR as an ordinary screen shows it, or kept: 10-bit HEVC.", rich_help_panel=HOW),
]
Cutout = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="RGBA PNGs: the objects, and nothing around them.", rich_help_panel=WHERE),
]
Matte = Annotated[
    Path | None,
    typer.Option(metavar="FILE.mov", help="The same as ProRes 4444, for editors.", rich_help_panel=WHERE),
]
Follow = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="The file is still being written; it ends where nothing is added for so long.",
        min=0.1,
        rich_help_panel=HOW,
    ),
]
Stats = Annotated[
    Path | None, typer.Option(metavar="FILE.json|-", help="The figures of the run, at its end.", rich_help_panel=WHERE)
]
Size = Annotated[str, typer.Option(metavar="WxH", help="Size of the rendered scene in pixels.")]
Figures = Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="The figures.")]


def config_words(config: str, overrides: Sequence[str] | None) -> list[str]:
    """The options of a config as another command of this program takes them."""
    return ["--config", config, *(word for entry in overrides or () for word in ("--set", entry))]


def read_config(
    name: str,
    overrides: Sequence[str] | None = None,
    no_depth: bool = False,
    no_masks: bool = False,
    show: bool | None = None,
    mask_level: str | None = None,
) -> Config:
    """A preset with what the options change in it.

    Raises:
        ConfigError: No such preset, key or value, or both halves are left out.
    """
    from streamer.config import load

    level = [] if mask_level is None else [f"tracking.mask_level={mask_level}"]
    config = load(name, [*(overrides or []), *level])
    changes: dict[str, Any] = {}
    if no_depth:
        changes["depth"] = None
    if no_masks:
        changes["segmenter"] = None
    if show is not None:
        changes["show"] = show
    config = config.model_copy(update=changes)
    if config.depth is None and config.segmenter is None:
        raise ConfigError("Masks and depth are both left out, so there is nothing to do: leave one of them in.")
    return config


def read_viewers(rerun: str | None, foxglove: bool) -> tuple[Path | None, frozenset[str]]:
    """The file that Rerun's recording goes to, and the tools that watch meanwhile."""
    live = {"rerun": rerun == "live", "foxglove": foxglove}
    file = None if rerun is None or live["rerun"] else Path(rerun)
    return file, frozenset(name for name, watches in live.items() if watches)


def with_everything(config: Config, wanted: bool) -> Config:
    """The same, following everything where that is wanted: as many objects as `MOST_OBJECTS`, or as the config sets."""
    if not wanted:
        return config
    tracking = config.tracking
    set_already = tracking.max_objects != type(tracking)().max_objects
    changes = {"everything": True, "max_objects": tracking.max_objects if set_already else MOST_OBJECTS}
    return config.model_copy(update={"tracking": tracking.model_copy(update=changes)})


def read_size(text: str) -> tuple[int, int]:
    """``1280x720`` as (width, height) [px].

    Raises:
        ConfigError: It does not look like that.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"{text!r} is no size: write it like 1280x720.")
    return int(width), int(height)


def read_masks_in_jsonl(text: str) -> Any:
    """What the lines shall hold of masks.

    Raises:
        ConfigError: It is none of these.
    """
    if text not in ("rle", "box", "none"):
        raise ConfigError(f"--masks-in-jsonl {text!r}: say rle, box or none.")
    return text
