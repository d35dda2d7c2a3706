"""The options that commands share, and what is made of their values.

Nothing slow is imported before a value is read, so that ``--help`` need not wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.errors import ConfigError, PromptError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.data.prompt import Prompt

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
InitMask = Annotated[
    Path | None,
    typer.Option(metavar="FILE.png", help="Indexed PNG: each non-zero value is an object.", rich_help_panel=WHAT),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|DIR",
        help=".mp4, .mkv, .mov, .webm, .gif (.png or .jpg for a picture), or a folder.",
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
Mcap = Annotated[
    Path | None,
    typer.Option(metavar="FILE.mcap", help="ROS 2 messages, for Foxglove and rosbag2.", rich_help_panel=WHERE),
]
VideoTrack = Annotated[
    int | None,
    typer.Option(metavar="N", help="Which video of a file that holds several, from 1.", min=1, rich_help_panel=HOW),
]
Stats = Annotated[
    Path | None, typer.Option(metavar="FILE.json|-", help="The figures of the run, at its end.", rich_help_panel=WHERE)
]
Size = Annotated[str, typer.Option(metavar="WxH", help="Size of the rendered scene in pixels.")]
Figures = Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="The figures.")]


def read_config(
    name: str,
    overrides: Sequence[str] | None = None,
    no_depth: bool = False,
    no_masks: bool = False,
    show: bool | None = None,
) -> Config:
    """A preset with what the options change in it.

    Raises:
        ConfigError: No such preset, key or value, or both halves are left out.
    """
    from streamer.config import load

    config = load(name, overrides or [])
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


def read_size(text: str) -> tuple[int, int]:
    """``1280x720`` as (width, height) [px].

    Raises:
        ConfigError: It does not look like that.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"{text!r} is no size: write it like 1280x720.")
    return int(width), int(height)


def read_prompts(
    points: Sequence[str] | None, boxes: Sequence[str] | None, init_mask: Path | None = None
) -> list[Prompt]:
    """The prompts about the first frame: one per object that ``--point`` and ``--box`` name, then those of the mask.

    Raises:
        PromptError: A value does not look like ``[ID:]X,Y[,LABEL]`` or ``[ID:]X0,Y0,X1,Y1``, an object has two boxes,
            or the mask cannot be read.
    """
    from streamer.data.prompt import Prompt

    coords: dict[int, list[list[float]]] = {}
    labels: dict[int, list[int]] = {}
    corners: dict[int, list[float]] = {}
    for text in points or []:
        object_id, values = _numbers(text, (2, 3), "--point", "[ID:]X,Y[,LABEL]")
        coords.setdefault(object_id, []).append(values[:2])
        labels.setdefault(object_id, []).append(_label(values[2], text) if len(values) == 3 else 1)
    for text in boxes or []:
        object_id, values = _numbers(text, (4,), "--box", "[ID:]X0,Y0,X1,Y1")
        if object_id in corners:
            raise PromptError(
                f"Object {object_id} has two boxes: give the second one another id, as in --box 2:{text}."
            )
        xs, ys = sorted(values[::2]), sorted(values[1::2])
        corners[object_id] = [xs[0], ys[0], xs[1], ys[1]]
    prompts = [
        Prompt(coords.get(object_id), labels.get(object_id), corners.get(object_id), object_id=object_id)
        for object_id in sorted({*coords, *corners})
    ]
    prompts += _from_mask(init_mask) if init_mask is not None else []
    for prompt in prompts:
        same = [other for other in prompts if other.object_id == prompt.object_id]
        if not any(other.box is not None or other.mask is not None or other.point_labels.any() for other in same):
            raise PromptError(f"Object {prompt.object_id} has background clicks only: add a click on it, or a box.")
    return prompts


def _numbers(text: str, counts: tuple[int, ...], option: str, form: str) -> tuple[int, list[float]]:
    """The id (1 if there is none) and the numbers of one option."""
    name, _, rest = text.rpartition(":")
    try:
        object_id = int(name) if name else 1
        values = [float(part) for part in rest.split(",")]
    except ValueError:
        values = []
    if len(values) not in counts:
        raise PromptError(f"{option} {text!r} must look like {form}, in pixels of the first frame.")
    if not 1 <= object_id <= 255:
        raise PromptError(f"{option} {text!r}: the id must be from 1 to 255.")
    return object_id, values


def _label(value: float, text: str) -> int:
    """1 for foreground, 0 for background."""
    if value not in (0, 1):
        raise PromptError(f"--point {text!r}: the label must be 1 (foreground) or 0 (background).")
    return int(value)


def _from_mask(path: Path) -> list[Prompt]:
    from streamer.data.prompt import prompts_from_labels
    from streamer.sinks.masks import read_labels

    prompts = prompts_from_labels(read_labels(path))
    if not prompts:
        raise PromptError(f"The mask {path} is empty: mark each object with a value above 0.")
    return prompts
