"""What the hardware can do: peak arithmetic for MFU, peak memory."""

from __future__ import annotations

import resource
import sys
import time

import torch

from raylm.config.errors import BadInput

# Dense bfloat16 tensor-core peaks from the vendors' data sheets, FLOP/s.
GPU_PEAKS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
    "V100": 125e12,
    "T4": 65e12,
}
GEMM_SIZE = 512
GEMM_ROUNDS = 5


def peak_flops(device: torch.device, precision: str) -> tuple[float, str]:
    """Return the peak of one device in FLOP/s and where the figure comes from.

    A known GPU's peak is its data sheet's; anything else is measured by multiplying square matrices.
    """
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        known = next((peak for part, peak in GPU_PEAKS.items() if part in name), None)
        if known:
            return known, f"data sheet, {name}, dense bfloat16"
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    return _measured(device, dtype), f"measured, {GEMM_SIZE}-square {precision} matrix product"


def _measured(device: torch.device, dtype: torch.dtype) -> float:
    generator = torch.Generator(device).manual_seed(0)
    matrix = torch.rand((GEMM_SIZE, GEMM_SIZE), generator=generator, device=device).to(dtype)
    best = float("inf")
    for _ in range(GEMM_ROUNDS):
        start = time.perf_counter()
        _ = (matrix @ matrix)[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return 2 * GEMM_SIZE**3 / best


def refuse_missing_precision(device: torch.device, precision: str) -> None:
    """Check that a device computes in a precision, before a model is built on it.

    Raises:
        BadInput: it is a GPU older than bfloat16; a CPU computes in it, if slowly.
    """
    if precision != "bfloat16" or device.type != "cuda":
        return
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        message = f"bfloat16: this device ({torch.cuda.get_device_name(device)}) has no bfloat16"
        raise BadInput.one("train.precision", message, "set it to float32", code="precision")


def peak_memory_bytes(device: torch.device) -> int:
    """Return the most memory held so far: of the GPU, or of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
