"""Checkpoints that other projects saved with torch: their tensors and plain values, no code."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from glass_core.errors import ModelError, one_line


class _Nothing:
    """Stands for an object of another program, whose code is never called."""

    def __init__(self, *arguments: object, **named: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...


def read_torch_file(path: Path) -> Any:
    """What a checkpoint holds; whatever is neither tensor nor plain value is left empty.

    Training programs keep objects of their own beside the weights; none of their code is run,
    whatever the file asks for.

    Raises
    ------
    ModelError
        Not a file that torch saved, or a damaged one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles: their code is not run
            foreign = get_unsafe_globals_in_checkpoint(path)
            with safe_globals([(_Nothing, name) for name in foreign]):
                return torch.load(path, map_location="cpu", weights_only=True)
    except (
        OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError,
        pickle.UnpicklingError,
    ) as error:  # fmt: skip
        raise ModelError(
            f"{path.name}: cannot be read as a checkpoint of torch ({one_line(error)})."
        ) from error


def tensors_of(content: Any, path: Path) -> Mapping[str, Tensor]:
    """The weights in a checkpoint: its ``state_dict``, or the file itself where it is one.

    Raises
    ------
    ModelError
        It holds none.
    """
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    tensors = (
        {name: one for name, one in state.items() if isinstance(one, Tensor)}
        if isinstance(state, Mapping)
        else {}
    )
    if not tensors:
        raise ModelError(f"{path.name}: holds no weights.")
    return tensors


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give `network` weights whose names and shapes must match exactly.

    Raises
    ------
    ModelError
        A tensor too many, too few or of another shape; names it.
    """
    wanted = network.state_dict()
    _refuse(path, "lacks the tensor", wanted.keys() - tensors.keys())
    _refuse(path, "holds a tensor that is not this network's:", tensors.keys() - wanted.keys())
    _refuse(
        path,
        "does not fit its configuration; another shape has",
        [name for name, one in wanted.items() if one.shape != tensors[name].shape],
    )
    network.load_state_dict({name: one.float() for name, one in tensors.items()}, assign=True)


def _refuse(path: Path, what: str, names: Iterable[str]) -> None:
    for name in sorted(names):
        raise ModelError(f"{path.name}: {what} {name}.")
