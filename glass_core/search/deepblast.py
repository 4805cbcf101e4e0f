"""DeepBLAST: alignments by two networks over residue embeddings, one for matches, one for gaps.

Hamamsy et al., Nat. Biotechnol. 42, 975 (2024). Checkpoints are those of its authors, such as
``deepblast-v3.ckpt``: a plain dictionary of weights.

Shape notation: N residues of the query, M of the target, D width of the embedder (1024).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.errors import ModelError
from glass_core.models.torch_files import fill, read_torch_file, tensors_of
from glass_core.records import MAX_LAYERS, require_sizes

Matrix = NDArray[np.float64]
_PREFIX = "aligner."
_WIDEST_KERNEL = 64


@dataclass(frozen=True)
class DeepBlastConfig:
    """Shape of the networks, told by the tensors of a checkpoint."""

    width: int = 1024
    kernel: int = 8
    layers: int = 2

    def __post_init__(self) -> None:
        require_sizes(self, ("width",))
        require_sizes(self, ("kernel",), _WIDEST_KERNEL)
        require_sizes(self, ("layers",), MAX_LAYERS)


class _Branch(nn.Module):
    """A linear map and convolutions; an even kernel makes a sequence longer by one in each."""

    def __init__(self, config: DeepBlastConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(config.width, config.width)
        self.conv = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(config.width, config.width, config.kernel, padding=config.kernel // 2),
                nn.ReLU(),
            )
            for _ in range(config.layers)
        )

    def forward(self, residues: Tensor) -> Tensor:
        """Of one sequence, shape (N, D) -> (N + layers, D) for even kernels."""
        x = self.embed(residues).T[None]
        for layer in self.conv:
            x = layer(x)
        return x[0].T


class DeepBlastNetwork(nn.Module):
    """Scores of matches and of gaps for every pair of residues."""

    def __init__(self, config: DeepBlastConfig) -> None:
        super().__init__()
        self.config = config
        self.match_embedding = _Branch(config)
        self.gap_embedding = _Branch(config)

    def forward(self, query: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Of two sequences' residues, shapes (N, D) and (M, D).

        Returns
        -------
        match, gap : Tensor
            For even kernels with `layers` rows and columns more than N and M: they take part
            in the recursion, as they do at its authors', and are cut afterwards.
        """
        match = F.softplus(self.match_embedding(query) @ self.match_embedding(target).T)
        gap = F.logsigmoid(self.gap_embedding(query) @ self.gap_embedding(target).T)
        return match, gap

    @torch.inference_mode()
    def expected(self, query: Tensor, target: Tensor) -> Matrix:
        """Expected alignment, shape=(N, M): how likely each pair of residues is to face."""
        match, gap = self(query, target)
        _, faces = recursion(match.double().cpu().numpy(), gap.double().cpu().numpy())
        return faces[: len(query), : len(target)]


def recursion(match: Matrix, gap: Matrix) -> tuple[float, Matrix]:
    """Needleman-Wunsch over all alignments at once, in the log semiring.

    ``V[i, j] = match[i, j] + logsumexp(gap[i, j] + V[i - 1, j], V[i - 1, j - 1],
    gap[i, j] + V[i, j - 1])``, and 0 outside.

    Parameters
    ----------
    match, gap : ndarray, shape=(N, M)

    Returns
    -------
    value : float
        V of the last pair.
    slope : ndarray, shape=(N, M)
        Its derivative by `match`: the expected alignment.
    """
    n, m = match.shape
    value = np.zeros((n + 1, m + 1))
    share = np.empty((3, n, m))
    cells = _diagonals(n, m)
    for i, j in cells:
        above, before = gap[i, j] + value[i, j + 1], gap[i, j] + value[i + 1, j]
        ways = np.stack([above, value[i, j], before])
        most = ways.max(axis=0)
        weights = np.exp(ways - most)
        sums = weights.sum(axis=0)
        value[i + 1, j + 1] = match[i, j] + most + np.log(sums)
        share[:, i, j] = weights / sums
    slope = np.zeros((n + 1, m + 1))
    slope[n - 1, m - 1] = 1.0
    padded = np.pad(share, ((0, 0), (0, 1), (0, 1)))
    for i, j in reversed(cells[:-1]):
        slope[i, j] = (
            padded[0, i + 1, j] * slope[i + 1, j]
            + padded[1, i + 1, j + 1] * slope[i + 1, j + 1]
            + padded[2, i, j + 1] * slope[i, j + 1]
        )
    return float(value[n, m]), slope[:n, :m]


def _diagonals(n: int, m: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of the cells that depend on none of each other, from the first to the last."""
    cells = []
    for number in range(n + m - 1):
        i = np.arange(max(number - m + 1, 0), min(number + 1, n))
        cells.append((i, number - i))
    return cells


def load_deepblast(path: Path) -> DeepBlastNetwork:
    """The networks of a checkpoint of DeepBLAST's authors.

    Raises
    ------
    ModelError
        Not such a file, or tensors that do not fit together.
    """
    tensors = {
        name.removeprefix(_PREFIX): one
        for name, one in tensors_of(read_torch_file(path), path).items()
    }
    with torch.device("meta"):
        network = DeepBlastNetwork(_config_of(tensors, path))
    fill(network, tensors, path)
    return network.eval()


def _config_of(tensors: Mapping[str, Tensor], path: Path) -> DeepBlastConfig:
    first = tensors.get("match_embedding.conv.0.0.weight")
    if first is None or first.ndim != 3:
        raise ModelError(f"{path.name}: is no checkpoint of DeepBLAST; it has no convolutions.")
    layers = sum(
        name.startswith("match_embedding.conv.") and name.endswith(".weight") for name in tensors
    )
    return DeepBlastConfig(int(first.shape[0]), int(first.shape[2]), layers)
