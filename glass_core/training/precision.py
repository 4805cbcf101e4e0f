"""The precision of a training: bf16 only where it is fast."""

from __future__ import annotations

from typing import Literal

import torch

from glass_core.embedders.device import fast_bfloat16
from glass_core.errors import UnavailableError


def cpu_precision() -> Literal["bf16-mixed", "32-true"]:
    """The fastest that a training on this CPU may have, in the words of `Fabric`."""
    return "bf16-mixed" if fast_bfloat16(torch.device("cpu")) else "32-true"


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse bf16 on a CPU that takes longer in it than in fp32.

    Raises
    ------
    UnavailableError
    """
    if device.type == "cpu" and precision.startswith("bf16") and not fast_bfloat16(device):
        raise UnavailableError(
            f"precision '{precision}': this processor is slower in bf16 than in fp32; use 32-true."
        )
