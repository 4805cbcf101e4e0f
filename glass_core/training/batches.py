"""Batches for the encoder's training, each a function of (seed, step) alone: resuming is exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.compact_encoder import MASK_TOKEN, PAD_TOKEN, SECONDARY_STATES, tokenise
from glass_core.metrics.distances import neighbour_counts
from glass_core.protein.sequence import STANDARD

IGNORED = -100
"""Class target that the losses skip; where a target is a number, NaN is skipped."""
HIGHEST_MASK_RATE = 0.3
"""Each sequence hides a share of residues drawn evenly from 0 to this."""
WIDTHS = (64, 128, 192, 256, 320)
"""Padded lengths; few, because a CPU compiles its kernels anew for every shape."""
BURIAL_MEAN, BURIAL_SCALE = 17.0, 8.0
"""Mean and spread that standardise the count of neighbours."""
_KEEP, _RANDOM = 0.1, 0.1


@dataclass(frozen=True, eq=False)
class Example:
    """A sequence, or a window of one, with what is known of its residues.

    Attributes
    ----------
    sequence : str
    secondary, conservation, disorder : str or None
        One letter per residue: ``H E C``, ``1..9``, ``0 1``; any other letter = unknown.
    ca : ndarray, shape=(L, 3), in Å, or None
    burial : ndarray, shape=(L,), or None
        Standardised count of C-alpha within `BURIAL_RADIUS` in the whole chain.
    """

    sequence: str
    secondary: str | None = None
    conservation: str | None = None
    disorder: str | None = None
    ca: NDArray[np.float32] | None = None
    burial: NDArray[np.float32] | None = None

    def window(self, start: int, length: int) -> Example:
        """Residues `start` to `start + length`, everything cut alike."""
        cut = slice(start, start + length)
        return Example(
            self.sequence[cut],
            **{
                name: None if (whole := getattr(self, name)) is None else whole[cut]
                for name in ("secondary", "conservation", "disorder", "ca", "burial")
            },
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs and targets of one step; Tensors have shape=(B, L) unless said.

    `letters`, `secondary`, `conservation` hold classes and `IGNORED`; `disorder` and
    `burial` hold numbers and NaN; `ca`, shape=(B, L, 3), holds Å and NaN.
    """

    tokens: Tensor
    mask: Tensor
    letters: Tensor
    secondary: Tensor
    conservation: Tensor
    disorder: Tensor
    burial: Tensor
    ca: Tensor


def burial_of(ca: NDArray[np.floating]) -> NDArray[np.float32]:
    """Standardised `neighbour_counts`, shape (L, 3) -> (L,)."""
    return ((neighbour_counts(ca) - BURIAL_MEAN) / BURIAL_SCALE).astype(np.float32)


def make_batch(examples: Sequence[Example], rng: np.random.Generator, width: int) -> Batch:
    """Pad to `width` and hide residues (of those chosen 80% masked, 10% replaced, 10% kept)."""
    tokens, _ = tokenise([e.sequence for e in examples])
    shape = (len(examples), width)
    original = np.full(shape, PAD_TOKEN)
    original[:, : tokens.shape[1]] = tokens.numpy()
    rate = rng.random((len(examples), 1)) * HIGHEST_MASK_RATE
    chosen = (original < len(STANDARD)) & (rng.random(shape) < rate)
    fate = rng.random(shape)
    hidden = np.where(chosen & (fate >= _KEEP + _RANDOM), MASK_TOKEN, original)
    replaced = chosen & (fate < _RANDOM)
    hidden[replaced] = rng.integers(len(STANDARD), size=int(replaced.sum()))
    disorder = np.full(shape, np.nan, dtype=np.float32)
    burial = np.full(shape, np.nan, dtype=np.float32)
    ca = np.full((*shape, 3), np.nan, dtype=np.float32)
    for row, example in enumerate(examples):
        n = len(example.sequence)
        if example.disorder is not None:
            disorder[row, :n] = [{"0": 0.0, "1": 1.0}.get(c, np.nan) for c in example.disorder]
        if example.burial is not None:
            burial[row, :n] = example.burial
        if example.ca is not None:
            ca[row, :n] = example.ca
    return Batch(
        tokens=torch.from_numpy(hidden),
        mask=torch.from_numpy(original != PAD_TOKEN),
        letters=torch.from_numpy(np.where(chosen, original, IGNORED)),
        secondary=_classes([e.secondary for e in examples], SECONDARY_STATES, shape),
        conservation=_classes([e.conservation for e in examples], "123456789", shape),
        disorder=torch.from_numpy(disorder),
        burial=torch.from_numpy(burial),
        ca=torch.from_numpy(ca),
    )


def _classes(labels: Sequence[str | None], alphabet: str, shape: tuple[int, int]) -> Tensor:
    target = np.full(shape, IGNORED)
    for row, label in enumerate(labels):
        if label is not None:
            target[row, : len(label)] = [alphabet.find(c) for c in label]
    target[target < 0] = IGNORED
    return torch.from_numpy(target)


class Corpus:
    """Examples drawn by source, within a source each cluster alike.

    Parameters
    ----------
    table : DataFrame
        Columns as `corpus.CORPUS_COLUMNS`.
    shares : mapping of str to float
        Share of the drawn sequences per source.
    """

    def __init__(self, table: pd.DataFrame, shares: dict[str, float]) -> None:
        self.table = table.to_dict("list")
        self.share = np.array(list(shares.values())) / sum(shares.values())
        source = table["source"].to_numpy()
        length = np.minimum(table["sequence"].str.len().to_numpy(), WIDTHS[-1])
        self.width = np.array(WIDTHS)[np.searchsorted(WIDTHS, length)]
        self.clusters = []
        residues = np.zeros(len(WIDTHS))
        for name, share in zip(shares, self.share, strict=True):
            rows = np.flatnonzero(source == name)
            clusters = table["cluster"].iloc[rows].groupby(table["cluster"].iloc[rows], sort=True)
            self.clusters.append([rows[i] for i in clusters.indices.values()])
            for members in self.clusters[-1]:
                weight = share * length[members] / (len(members) * len(self.clusters[-1]))
                residues += np.bincount(
                    np.searchsorted(WIDTHS, self.width[members]), weight, len(WIDTHS)
                )
        self.width_share = residues / residues.sum()

    def example(self, row: int) -> Example:
        """Row `row` of the table."""
        labels = {
            name: value if isinstance(value := self.table[name][row], str) else None
            for name in ("secondary", "conservation", "disorder")
        }
        example = Example(self.table["sequence"][row], **labels)  # type: ignore[arg-type]
        flat = self.table["ca"][row]
        if flat is None or np.ndim(flat) == 0:
            return example
        ca = np.asarray(flat, dtype=np.float32).reshape(-1, 3)
        return replace(example, ca=ca, burial=burial_of(ca))

    def batch(self, tokens: int, seed: int, step: int) -> Batch:
        """The batch of `step`: about `tokens` residues, padding included, of one width.

        Long sequences give a random window.
        """
        rng = np.random.default_rng([seed, step])
        width = int(rng.choice(WIDTHS, p=self.width_share))
        examples: list[Example] = []
        while len(examples) < max(tokens // width, 1):
            clusters = self.clusters[int(rng.choice(len(self.share), p=self.share))]
            row = int(rng.choice(clusters[int(rng.integers(len(clusters)))]))
            if self.width[row] != width:
                continue
            example = self.example(row)
            extra = len(example.sequence) - width
            if extra > 0:
                example = example.window(int(rng.integers(extra + 1)), width)
            examples.append(example)
        return make_batch(examples, rng, width)
