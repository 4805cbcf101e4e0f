"""Weights of a module from a file of tensors."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from glass_core.errors import ModelError


def read_tensors(path: Path, module: nn.Module) -> None:
    """Fill `module` from a safetensors file whose names and shapes must match exactly.

    A module that was built on the device ``meta`` takes up no memory before they do.

    Raises
    ------
    ModelError
        Missing or unreadable file, or a tensor too many, too few or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise ModelError(f"Model file {path.name} is missing.")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"Model file {path.name} cannot be read: {error}.") from error
    wanted = module.state_dict()
    for name in sorted(set(tensors) ^ set(wanted)):
        what = "has an unknown" if name in tensors else "lacks the"
        raise ModelError(f"Model file {path.name} {what} tensor {name}.")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise ModelError(
                f"Model file {path.name}: tensor {name} has shape {tuple(tensor.shape)}, "
                f"expected {tuple(wanted[name].shape)}."
            )
    module.load_state_dict(
        {name: tensor.float() for name, tensor in tensors.items()},
        assign=next(module.parameters()).is_meta,
    )
