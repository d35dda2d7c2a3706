"""Where the models run and how precisely: the device, the number format, the threads."""

from __future__ import annotations

import platform

import torch

from streamer.errors import ModelError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def pick_device(device: str = "auto") -> torch.device:
    """The device of that name; ``auto`` prefers CUDA, then Apple's MPS, then the CPU.

    Raises:
        ModelError: The name means nothing to torch, or that device is not here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise ModelError(f"There is no device {device!r}: use auto, cpu, cuda, cuda:1 or mps.") from None
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}.get(chosen.type, False)
    if present and chosen.type == "cuda":
        present = (chosen.index or 0) < torch.cuda.device_count()
    if not present:
        raise ModelError(f"The device {device!r} is not available here: use device=auto or device=cpu.")
    return chosen


def pick_precision(precision: str, device: torch.device) -> torch.dtype:
    """The number format of that name; ``auto`` is the fastest one whose arithmetic the device has in hardware.

    That is bfloat16 on processors with AMX or AVX512-BF16 and on GPUs that have it, float16 on other CUDA GPUs, and
    float32 elsewhere: without those instructions bfloat16 is emulated, and was measured 7 times slower than float32.

    Raises:
        ModelError: There is no such format, or the CPU is asked for float16.
    """
    if precision == "auto":
        return _fastest_precision(device)
    if precision not in PRECISIONS:
        raise ModelError(f"There is no precision {precision!r}: use auto, {', '.join(PRECISIONS)}.")
    if precision == "float16" and device.type == "cpu":
        raise ModelError("float16 has no benefit on a CPU: use precision auto, float32 or bfloat16.")
    return PRECISIONS[precision]


def _fastest_precision(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if native else torch.float16
    if device.type == "cpu" and has_fast_bfloat16():
        return torch.bfloat16
    return torch.float32


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices in hardware (AMX or AVX512-BF16)."""
    return has_amx() or _processor_has("_is_avx512_bf16_supported")


def has_amx() -> bool:
    """Whether this processor has matrix tiles, which multiply bfloat16 some eight times as fast as float32."""
    return _processor_has("_is_amx_tile_supported")


def thread_count() -> int:
    """Processor cores that torch uses for one operation."""
    return torch.get_num_threads()


def set_threads(count: int) -> None:
    """Let torch use that many processor cores, in this thread and in those started later."""
    torch.set_num_threads(max(1, count))


def describe_device(device: torch.device) -> str:
    """One line for people: what the models run on."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if device.type == "mps":
        return f"mps: Apple {platform.machine()} GPU"
    threads = torch.get_num_threads()
    return f"cpu: {threads} thread{'s' if threads != 1 else ''}, {instruction_sets()}"


def instruction_sets() -> str:
    """Which of the sets of instructions that matter here this processor has."""
    extras = ["AMX"] if has_amx() else []
    extras += ["bfloat16"] if has_fast_bfloat16() else []
    return ", ".join([torch.backends.cpu.get_cpu_capability(), *extras])


def _processor_has(query: str) -> bool:
    """The answer of that private function of ``torch.cpu``; False where this torch lacks it."""
    return bool(getattr(torch.cpu, query, lambda: False)())


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
