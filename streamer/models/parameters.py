"""Which models run, and how: the sections ``segmenter``, ``depth`` and ``detector`` of a config."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from streamer.data.parameters import Parameters

Precision = Literal["auto", "float32", "bfloat16", "float16"]
Runtime = Literal["auto", "torch", "openvino"]


class SegmenterParameters(Parameters):
    """Which segmenter.

    Attributes:
        model: A name that the registry knows, or the path of a checkpoint.
        checkpoint: Weights of that model in another place than the cache.
        precision: What it computes in; ``auto`` takes the fastest that is exact enough on the device.
        compile: Whether code is generated for the encoder at its first use.
        runtime: What the bundled encoder and memory run through; ``auto`` is torch.
    """

    model: str = "tiny"
    checkpoint: Path | None = None
    precision: Precision = "auto"
    compile: bool = False
    runtime: Runtime = "auto"


class DepthParameters(Parameters):
    """Which depth model.

    Attributes:
        model: A name that the registry knows, one of a model hub, or a folder.
        precision: What it computes in; ``auto`` takes the fastest that is exact enough on the device.
        compile: Whether code is generated for the model at its first use.
        runtime: What the bundled model runs through; ``auto`` is torch.
    """

    model: str = "tiny"
    precision: Precision = "auto"
    compile: bool = False
    runtime: Runtime = "auto"


class DetectorParameters(Parameters):
    """Which detector finds what is said in words.

    Attributes:
        model: A name that the registry knows, one of a model hub, or a folder.
        min_score: Below which a detection does not count, 0 to 1; None leaves it to the detector.
        precision: What it computes in; ``auto`` takes the fastest that is exact enough on the device.
    """

    model: str = "tiny"
    min_score: float | None = Field(default=None, ge=0, le=1)
    precision: Precision = "auto"


class AutomaticParameters(Parameters):
    """How everything in a picture is found, in the words of SAM's automatic mask generator.

    The defaults are those of the bundled model, which is less sure of all than the large ones: upstream asks 32 points
    per side, and for 0.88 and 0.95, as the presets of its models do.

    Attributes:
        points_per_side: Points of the grid that is asked about, along each side.
        points_per_batch: Points that are decoded together.
        pred_iou_thresh: Predicted IoU below which a mask is left out, 0 to 1.
        stability_score_thresh: IoU of the masks at a lower and a higher threshold, below which one is left out.
        stability_score_offset: By how much those thresholds are lower and higher [logits].
        box_nms_thresh: IoU of boxes above which the less sure of two masks is left out.
        crop_n_layers: Layers of crops that are looked at as well; layer n has 2^n x 2^n of them.
        crop_nms_thresh: As ``box_nms_thresh``, between crops.
        crop_overlap_ratio: By how much crops overlap, as a share of the picture.
        crop_n_points_downscale_factor: In layer n the points per side are divided by this to the n.
        min_mask_region_area: Holes and islands below that are removed [px]; 0 leaves them.
    """

    points_per_side: int = Field(default=16, ge=1, le=128)
    points_per_batch: int = Field(default=64, ge=1)
    pred_iou_thresh: float = Field(default=0.3, ge=0, le=1)
    stability_score_thresh: float = Field(default=0.3, ge=0, le=1)
    stability_score_offset: float = Field(default=1.0, ge=0)
    box_nms_thresh: float = Field(default=0.7, ge=0, le=1)
    crop_n_layers: int = Field(default=0, ge=0, le=3)
    crop_nms_thresh: float = Field(default=0.7, ge=0, le=1)
    crop_overlap_ratio: float = Field(default=512 / 1500, ge=0, lt=1)
    crop_n_points_downscale_factor: int = Field(default=1, ge=1)
    min_mask_region_area: int = Field(default=0, ge=0)
