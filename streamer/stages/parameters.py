"""When the slow models are asked: the section ``schedule`` of a config."""

from __future__ import annotations

from pydantic import Field

from streamer.data.parameters import Parameters


class ScheduleParameters(Parameters):
    """How often each kind of slow model looks, in frames.

    Attributes:
        keyframe_interval: Between two keyframes at most; fewer follow better and cost more. 7 from the sweep of 6, 7, 8
            and 10 in docs/tracking.md.
        depth_interval: Between two runs of the depth model.
        detection_interval: Between two looks for what was said in words.
        min_keyframe_gap: Between a keyframe and one that trouble asks for.
        prefetch: Whether files have computed early what these intervals will ask for.
        model_nice: By how much live models let every other thread of the machine go first, as `nice` counts, while
            other programs leave it alone (Linux only); 0 for never.
        model_threads: Cores that models compute on. None for all but one live, and for recordings all of them, or half
            where the models are the bundled ones.
    """

    keyframe_interval: int = Field(default=7, ge=1)
    depth_interval: int = Field(default=5, ge=1)
    detection_interval: int = Field(default=15, ge=1)
    min_keyframe_gap: int = Field(default=3, ge=1)
    prefetch: bool = True
    model_nice: int = Field(default=10, ge=0, le=19)
    model_threads: int | None = Field(default=None, ge=1)
