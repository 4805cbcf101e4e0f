"""The one place where a device name becomes a torch device, and that knows what suits one."""

from __future__ import annotations

import torch

from glass_core.errors import UnavailableError


def resolve_device(name: str = "auto") -> torch.device:
    """``auto`` takes CUDA where there is one, else the CPU.

    Raises
    ------
    UnavailableError
        No such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UnavailableError(
            f"device '{name}': is not known; use auto, cpu, cuda or cuda:1."
        ) from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UnavailableError(
            f"device '{name}': this machine has {torch.cuda.device_count()} CUDA devices; use cpu."
        )
    return device


def fast_bfloat16(device: torch.device) -> bool:
    """Whether products in bf16 take a fraction of the time of those in fp32 on this CPU.

    True on one with matrix units for bf16 (Intel AMX) that torch makes use of. On others they
    take up to a hundred times as long; so they do where oneDNN is held to older instructions.
    """
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and getattr(torch.cpu, "_is_amx_tile_supported", bool)()
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
