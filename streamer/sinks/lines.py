"""The JSON lines: one class for each kind, from which the lines and their JSON Schema are made.

A field more is one more attribute here; ``SCHEMA_VERSION`` goes up where a reader of the old lines would misread the
new ones, which a field more does not make it do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

SCHEMA_VERSION: Literal[1] = 1

MasksInJsonl = Literal["rle", "box", "none"]

Box = Annotated[
    tuple[float, float, float, float], Field(description="x0, y0, x1, y1 [px of the frame], x1 and y1 exclusive.")
]
Point = Annotated[tuple[float, float], Field(description="x, y [px of the frame].")]
Position = Annotated[
    tuple[float, float, float],
    Field(description="x to the right, y down, z ahead of the camera [m]: the median of what is surely known."),
]
Number = Annotated[float | None, Field(description="null where it is not finite.")]


class Line(BaseModel):
    """Part of a line; unknown keys are refused. Numbers that are not finite are written as null."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class CameraLine(Line):
    """The camera as ROS and OpenCV describe one."""

    size: tuple[int, int] = Field(description="(width, height) of its frames [px].")
    fx: float = Field(description="Focal length [px], as fy.")
    fy: float
    cx: float = Field(description="Principal point [px], pixel centers being whole numbers, as cy.")
    cy: float
    distortion_model: Literal["plumb_bob", "rational_polynomial", "equidistant"]
    distortion: tuple[float, ...] = Field(description="In OpenCV's order; empty for none.")
    provenance: Literal["given", "fov", "photo", "estimated", "assumed"] = Field(description="How it is known.")


class Header(Line):
    """The first line: what the lines after it are about."""

    type: Literal["header"] = "header"
    schema_version: Literal[1] = SCHEMA_VERSION
    source: str = Field(description="Short name of the source; never holds credentials.")
    size: tuple[int, int] = Field(description="(width, height) of the frames [px].")
    rate_hz: float | None = Field(description="Nominal frame rate [Hz]; null where there is none.")
    live: bool = Field(description="Whether frames that nobody takes are gone, so that indices have gaps.")
    masks: MasksInJsonl = Field(description="What the lines hold of a mask: its RLE and box, its box only, or neither.")
    depth_unit: str | None = Field(description="relative, or m; null where there is no depth on the first frame.")
    camera: CameraLine | None = Field(description="The camera of the first frame.")
    start_ns: int | None = Field(description="`stamp_ns` of the first frame.")
    start_s: float = Field(description="`time_s` of the first frame [s].")


class RleLine(Line):
    """A mask in COCO's compressed run-length encoding."""

    size: tuple[int, int] = Field(description="(height, width) [px].")
    counts: str


class DepthLine(Line):
    """Quartiles of the depth inside a mask, smoothed over some six frames; see `DepthStats`."""

    median: Number
    lower: Number
    upper: Number
    now: Number = Field(description="The median of this very frame, not smoothed.")
    unit: str = Field(description="m: distance in meters; relative: inverse depth, of which larger is nearer.")
    error: Number = Field(description="Relative error, one standard deviation; null where nobody knows it.")


class ObjectLine(Line):
    """One object on one frame."""

    id: int = Field(description="Stable over the run, from 1.")
    label: str | None = Field(description="What it is, in words; null where nobody has said so.")
    box_xyxy: Box | None = Field(description="Tightest box around the mask; null where it is empty or left out.")
    centroid: Point | None = Field(description="Mean of the mask's pixels; null where it is empty or left out.")
    score: Number = Field(description="Confidence, 0 to 1.")
    state: Literal["tracked", "uncertain", "lost"]
    age_s: Number = Field(description="Time since the frame on which a model last saw it [s]; null before the first.")
    mask: RleLine | None = Field(description="null where it is left out.")
    depth: DepthLine | None = Field(description="null without depth or mask.")
    position_m: Position | None = Field(description="null where depth has no meters.")


class StageLine(Line):
    """How one slow kind of model stands on this frame."""

    reason: str | None = Field(description="Why it was asked about this frame; null where it was not.")
    age: int | None = Field(description="Frames since the one that what it shows goes back to; null before.")
    age_s: Number = Field(description="The same in time between the two captures [s].")
    values: dict[str, Any] = Field(description="What else it knows, by name.")


class FrameLine(Line):
    """Everything about one frame."""

    type: Literal["frame"] = "frame"
    schema_version: Literal[1] = SCHEMA_VERSION
    index: int = Field(description="Number of the frame in its source, from 0.")
    time_s: float = Field(description="Media time since the start of the source [s].")
    stamp_ns: int | None = Field(description="Wall clock at capture since the Unix epoch [ns]; null for a recording.")
    stamp_origin: Literal["driver", "arrival", "pushed"] | None = Field(description="How `stamp_ns` is known.")
    latency_ms: float = Field(description="From capture to the moment at which all this was known [ms].")
    depth_unit: str | None = Field(description="relative, or m; null while there is no depth.")
    depth_error: Number = Field(description="Relative error of the map, one standard deviation; null where unknown.")
    world_from_camera: tuple[tuple[float, ...], ...] | None = Field(
        description="4x4 pose of the camera [m]; null without poses."
    )
    objects: list[ObjectLine]
    stages: dict[str, StageLine]
    timings_ms: Mapping[str, Number] = Field(
        description="Time spent on this frame by the parts of the frame loop [ms]."
    )
    model_timings_ms: Mapping[str, Number] = Field(
        description="Time that the model calls took whose answers came in on this frame [ms]."
    )


class DroppedLine(Line):
    """Frames that were left out here because the reader of the lines was not done with those before."""

    type: Literal["dropped"] = "dropped"
    schema_version: Literal[1] = SCHEMA_VERSION
    count: int = Field(description="How many.", ge=1)
    first_index: int
    last_index: int


AnyLine = Annotated[Header | FrameLine | DroppedLine, Field(discriminator="type")]


def schema() -> dict[str, Any]:
    """The JSON Schema of one JSON line, whichever kind it is: a header first, then frames, and what was left out.

    The same as the file ``results.schema.json`` in ``streamer/sinks``.
    """
    described = TypeAdapter(AnyLine).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"JSON lines of streamer, version {SCHEMA_VERSION}",
        **described,
    }
