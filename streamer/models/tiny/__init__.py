"""Two models small enough to come with the package: a SAM and a DPT that run in real time on a CPU."""

from streamer.models.tiny.dpt import build_dpt
from streamer.models.tiny.sam import build_sam
from streamer.models.tiny.weights import dpt_folder, load_memory, load_sam

__all__ = ["build_dpt", "build_sam", "dpt_folder", "load_memory", "load_sam"]
