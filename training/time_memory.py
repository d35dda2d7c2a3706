"""What the memory costs beside today's keyframe, in turns: ``python -m training.time_memory --threads 2``.

Today a keyframe is one look of SAM's encoder and two questions to its decoder. With the memory it is the same look,
one reading and one remembering.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from streamer.data.prompt import Prompt
from streamer.models.runtime.devices import has_fast_bfloat16
from streamer.models.sam.segmenter import SamSegmenter
from streamer.models.tiny.memory import ImageFeatures, MemoryNetwork, image_features
from streamer.models.tiny.memory_reading import recall_objects, remember_objects
from streamer.models.tiny.weights import load_sam

SIZE = (512, 288)
REMEMBERED = 6
ROUNDS = 15


def tracker_prompt() -> Prompt:
    """Eight points on the object, four beside it, its box and its mask, as the tracker asks."""
    points = np.random.default_rng(0).uniform(100, 200, (12, 2)).astype(np.float32)
    logits = np.zeros((SIZE[1] // 4, SIZE[0] // 4), np.float32)
    box = np.array([90, 90, 210, 210], np.float32)
    return Prompt(points, np.array([1] * 8 + [0] * 4), box, mask_input=logits)


def measured(parts: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds of each part, all taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in parts}
    for turn in range(ROUNDS + 2):
        for name, part in parts.items():
            started_s = time.perf_counter()
            part()
            if turn >= 2:
                times[name].append(1000 * (time.perf_counter() - started_s))
    return {name: statistics.median(values) for name, values in times.items()}


def parts(objects: int, precision: str) -> dict[str, Callable[[], object]]:
    """What is timed, for so many objects; the memory's networks run in the same precision as the encoder."""
    sam = load_sam()
    encoder, network = sam.image_encoder, MemoryNetwork().eval().requires_grad_(False)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels = torch.randn(1, 3, SIZE[1], SIZE[0])
    low = precision == "bfloat16"

    def run(part: Callable[[], object]) -> Callable[[], object]:
        def inside() -> object:
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
                return part()

        return inside

    with torch.inference_mode():
        features: ImageFeatures = image_features(encoder, pixels)[1]
        query = network.keys(features)
        masks = {number: torch.rand(SIZE[1] // 4, SIZE[0] // 4) for number in range(objects)}
        memories = [remember_objects(network, query, masks)] * REMEMBERED
    segmenter = SamSegmenter(load_sam(), "tiny", torch.device("cpu"), precision)
    image = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    embedding, prompts = segmenter.encode(image), [tracker_prompt()] * objects
    return {
        "encode, as today": lambda: segmenter.encode(image),
        "decode once, as today": lambda: segmenter.decode(embedding, prompts),
        "encode with the memory's features": run(lambda: image_features(encoder, pixels)),
        "key": run(lambda: network.keys(features)),
        "read": run(lambda: recall_objects(network, query, memories, list(masks), masks)),
        "remember": run(lambda: remember_objects(network, query, masks)),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(options.parse_args().threads)
    for precision in ("float32", "bfloat16") if has_fast_bfloat16() else ("float32",):
        for objects in (1, 4):
            taken = measured(parts(objects, precision))
            today = taken["encode, as today"] + 2 * taken["decode once, as today"]
            new = sum(taken[name] for name in ("encode with the memory's features", "key", "read", "remember"))
            print(f"{precision}, {objects} objects: today {today:.1f} ms, with the memory {new:.1f} ms")
            print("   " + ", ".join(f"{name} {value:.1f}" for name, value in taken.items()), flush=True)


if __name__ == "__main__":
    main()
