"""The one place where a device name becomes a torch device."""

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
