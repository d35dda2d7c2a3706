"""Results as `supervision` takes them, for its annotators, zones and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from streamer.data.categories import UNNAMED, Categories
from streamer.data.result import Result
from streamer.errors import ConfigError

if TYPE_CHECKING:
    import supervision


def detections_of(result: Result, categories: Sequence[str] = ()) -> supervision.Detections:
    """The objects that are in view; see :meth:`Result.to_supervision`."""
    if find_spec("supervision") is None:
        raise ConfigError("to_supervision needs a library that is not installed: run `uv pip install supervision`.")
    from supervision import Detections

    tracks = [track for track in result.tracks if track.box_xyxy is not None]
    if not tracks:
        return Detections.empty()
    numbers = Categories(categories or sorted({track.label or UNNAMED for track in tracks}))
    return Detections(
        xyxy=np.array([track.box_xyxy for track in tracks], np.float32),
        mask=np.stack([track.mask for track in tracks]),
        confidence=np.array([track.score for track in tracks], np.float32),
        class_id=np.array([numbers.number_of(track) for track in tracks]),
        tracker_id=np.array([track.id for track in tracks]),
        data={
            "class_name": np.array([track.label or UNNAMED for track in tracks]),
            "state": np.array([track.state.value for track in tracks]),
            "position_m": np.array([track.position_m or (np.nan,) * 3 for track in tracks]),
        },
    )
