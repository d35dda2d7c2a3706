"""Measure the bundled models: ``python -m training.evaluate`` prints one table, which the model card keeps."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from segment_anything.modeling import Sam
from transformers import DPTForDepthEstimation

from streamer.engine import Engine, load
from streamer.models.dpt.timm_backbone import trim_efficientnets
from streamer.models.tiny.dpt import IMAGE_SIZE_PX
from streamer.models.tiny.weights import DPT_FOLDER, SAM_WEIGHTS, load_sam
from training.baselines import measure_baselines
from training.benchmarks import Benchmark, load_benchmarks, measure, measure_program
from training.depth_benchmarks import load_depth_benchmarks, measure_depth
from training.photos import DATA_ROOT

Row = tuple[str, str, str]
TARGETS = {
    "DAVIS": {"box": "0.70 / 0.82", "click": "0.55 / 0.70", "corrected": "0.65 / 0.80"},
    "BSDS500 test": {"box": "0.72 / 0.80", "click": "0.50 / 0.60"},
    "coco-mini": {"box": "0.72 / 0.80", "click": "0.50 / 0.62"},
    "scenes": {"box": "0.90 / 0.95", "click": "0.80 / 0.90"},
}


def mask_rows(sam: Sam, engine: Engine, benchmark: Benchmark) -> list[Row]:
    """The rows of one benchmark: the model's, the program's with it, then those that need no training."""
    name, targets, scores = benchmark.name, TARGETS[benchmark.name], measure(sam, benchmark)
    rows = [
        (f"{name}: mean IoU, box", f"{scores.box:.3f}", targets["box"]),
        (f"{name}: mean IoU, box, as the program shows it", f"{measure_program(engine, benchmark):.3f}", ""),
        (f"{name}: mean IoU, one click, best of three", f"{scores.click:.3f}", targets["click"]),
        (f"{name}: mean IoU, one click, the model's own choice", f"{scores.click_preferred:.3f}", ""),
        (f"{name}: mean IoU, after two corrective clicks", f"{scores.corrected:.3f}", targets.get("corrected", "")),
        (f"{name}: mean absolute error of the predicted IoU", f"{scores.iou_error:.3f}", "0.12 / 0.07"),
    ]
    return rows + [
        (f"{name}: {what} (no training)", f"{value:.3f}", "") for what, value in measure_baselines(benchmark).items()
    ]


def depth_rows(dpt: DPTForDepthEstimation, data: Path, scenes: int) -> list[Row]:
    """AbsRel and share within 1.25 on each depth benchmark."""
    rows = []
    for benchmark in load_depth_benchmarks(data, scenes):
        scores = measure_depth(dpt, benchmark)
        first = benchmark.name == "rgbd"
        rows += [
            (f"{benchmark.name}: AbsRel", f"{scores.absolute_relative:.3f}", "0.20 / 0.12" if first else ""),
            (f"{benchmark.name}: share within 1.25", f"{scores.within:.3f}", "0.70 / 0.85" if first else ""),
        ]
    return rows


def fastest_ms(call: Callable[[], object], repeats: int = 20) -> float:
    """The shortest of several calls [ms]; the longer ones tell about the machine's other work."""
    call()
    times_s = []
    for _ in range(repeats):
        started_s = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - started_s)
    return 1000 * min(times_s)


@torch.inference_mode()
def time_rows(sam: Sam, dpt: DPTForDepthEstimation) -> list[Row]:
    """Milliseconds per call on two threads, fastest of 20."""
    torch.set_num_threads(2)
    sam.to(memory_format=torch.channels_last)
    dpt.to(memory_format=torch.channels_last)
    side = sam.image_encoder.img_size
    image = torch.rand(1, 3, side, side)
    square = torch.rand(1, 3, IMAGE_SIZE_PX, IMAGE_SIZE_PX).contiguous(memory_format=torch.channels_last)
    embedding = sam.image_encoder(image)
    boxes = torch.tensor([[10.0, 10.0, 100.0, 100.0]] * 4)

    def decode() -> object:
        sparse, dense = sam.prompt_encoder(points=None, boxes=boxes, masks=None)
        position = sam.prompt_encoder.get_dense_pe()
        return sam.mask_decoder(embedding, position, sparse, dense, multimask_output=True)

    return [
        ("encode [ms]", f"{fastest_ms(lambda: sam.image_encoder(image)):.1f}", "60 / 25"),
        ("decode 4 objects [ms]", f"{fastest_ms(decode):.1f}", "25 / 10"),
        ("depth [ms]", f"{fastest_ms(lambda: dpt(square)):.1f}", "60 / 25"),
    ]


def load_depth_model(folder: Path) -> DPTForDepthEstimation:
    """The depth model as it is used: float32, without what its backbone does not need."""
    dpt = DPTForDepthEstimation.from_pretrained(folder, dtype=torch.float32).eval()
    trim_efficientnets(dpt)
    return dpt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA_ROOT)
    parser.add_argument("--sam", type=Path, default=SAM_WEIGHTS, help="safetensors of a tiny SAM")
    parser.add_argument("--dpt", type=Path, default=DPT_FOLDER, help="folder of a tiny DPT")
    parser.add_argument("--quick", action="store_true", help="a tenth of the pictures")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    cv2.setNumThreads(2)
    sam, dpt = load_sam(arguments.sam), load_depth_model(arguments.dpt)
    rows = time_rows(sam, dpt)
    with load("tiny", [f"segmenter.checkpoint={arguments.sam}", "depth=null"]) as engine:
        for benchmark in load_benchmarks(arguments.data, arguments.quick):
            rows += mask_rows(sam, engine, benchmark)
    rows += depth_rows(dpt, arguments.data, 10 if arguments.quick else 100)
    print("| what | measured | at least / hoped for |\n| --- | --- | --- |")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
