"""Batches for training, each a function of (seed, step) alone, so that resuming is exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glass_core.embedders.compact import MASK_TOKEN, SECONDARY_STATES, tokenise
from glass_core.sequence import STANDARD

IGNORED = -100
"""Target value that the losses skip."""
MASK_RATE = 0.15
_KEEP, _RANDOM = 0.1, 0.1


@dataclass(frozen=True)
class MaskedBatch:
    """Inputs and targets of a masked-residue step; all Tensors have shape=(B, L).

    `letters` and `states` hold `IGNORED` where no loss is taken.
    """

    tokens: Tensor
    mask: Tensor
    letters: Tensor
    states: Tensor


def masked_batch(
    sequences: Sequence[str],
    states: Sequence[str | None],
    rng: np.random.Generator,
) -> MaskedBatch:
    """Hide 15% of the residues (of these 80% masked, 10% replaced, 10% kept).

    Parameters
    ----------
    sequences : sequence of str
    states : sequence of str or None
        ``H E C`` per residue, any other letter = no label; None = no labels.
    """
    tokens, mask = tokenise(sequences)
    original = tokens.numpy().copy()
    known = mask.numpy() & (original < len(STANDARD))
    chosen = known & (rng.random(original.shape) < MASK_RATE)
    letters = np.where(chosen, original, IGNORED)
    fate = rng.random(original.shape)
    hidden = np.where(chosen & (fate >= _KEEP + _RANDOM), MASK_TOKEN, original)
    replaced = chosen & (fate < _RANDOM)
    hidden[replaced] = rng.integers(len(STANDARD), size=int(replaced.sum()))
    targets = np.full(original.shape, IGNORED)
    for row, labels in enumerate(states):
        if labels is not None:
            targets[row, : len(labels)] = [SECONDARY_STATES.find(c) for c in labels]
    targets[targets < 0] = IGNORED
    return MaskedBatch(
        torch.from_numpy(hidden), mask, torch.from_numpy(letters), torch.from_numpy(targets)
    )


def crop(
    sequence: str, states: str | None, longest: int, rng: np.random.Generator
) -> tuple[str, str | None]:
    """A random window of at most `longest` residues, labels cut alike."""
    if len(sequence) <= longest:
        return sequence, states
    start = int(rng.integers(len(sequence) - longest + 1))
    window = slice(start, start + longest)
    return sequence[window], None if states is None else states[window]


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up to `peak`, then a cosine down to a twentieth of it."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min((step - warmup) / max(steps - warmup, 1), 1.0)
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))
