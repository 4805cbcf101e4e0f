"""Length-bucketed batches under a token budget that halves itself when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from glass_core.errors import UnavailableError
from glass_core.progress import Count

T = TypeVar("T")


def length_buckets(lengths: Sequence[int], token_budget: int) -> Iterator[list[int]]:
    """Indices grouped so that each padded batch holds at most `token_budget` tokens.

    Longest first, so that a budget that does not fit shows at once. A sequence
    longer than the budget goes alone; nothing is cut.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batch: list[int] = []
    for index in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > token_budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory, on a GPU or the CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def run_in_batches(
    sequences: Sequence[str],
    run: Callable[[list[str]], list[T]],
    token_budget: int,
    progress: Count | None = None,
) -> list[T]:
    """Apply `run` to length buckets of `sequences`; results in the order given.

    When `run` runs out of memory on a batch of several sequences, the budget
    is halved and the rest split anew.

    Raises
    ------
    UnavailableError
        One sequence alone does not fit into the device's memory.
    """
    results: dict[int, T] = {}
    pending = list(range(len(sequences)))
    while pending:
        for batch in length_buckets([len(sequences[i]) for i in pending], token_budget):
            indices = [pending[k] for k in batch]
            try:
                answers = run([sequences[i] for i in indices])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                longest = max(len(sequences[i]) for i in indices)
                if len(indices) == 1:
                    raise UnavailableError(
                        f"A sequence of {longest} residues does not fit into the memory of this "
                        "device; use the CPU (GLASS_DEVICE=cpu) or cut the protein into domains."
                    ) from error
                token_budget = max(longest * len(indices) // 2, 1)
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                break
            results.update(zip(indices, answers, strict=True))
            if progress is not None:
                progress(len(results), len(sequences))
        pending = [i for i in pending if i not in results]
    return [results[i] for i in range(len(sequences))]
