"""The camera as a `CameraInfo`."""

from __future__ import annotations

from typing import Any

from streamer.data.camera_model import CameraModel, Provenance

_NO_DISTORTION = [0.0] * 5
_IDENTITY = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def camera_info_of(camera: CameraModel) -> dict[str, Any]:
    """Its fields but for the header. A camera that is only assumed is one that is not calibrated: zeros, as ROS says.

    The image is not rectified; ``p`` keeps its focal lengths for whoever rectifies it.
    """
    known = camera.provenance is not Provenance.ASSUMED
    k = camera.matrix.ravel().tolist() if known else [0.0] * 9
    return {
        "width": camera.width,
        "height": camera.height,
        "distortion_model": camera.distortion_model,
        "d": list(camera.distortion) or _NO_DISTORTION if known else [],
        "k": k,
        "r": _IDENTITY if known else [0.0] * 9,
        "p": [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0],
        "binning_x": 0,
        "binning_y": 0,
        "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
    }
