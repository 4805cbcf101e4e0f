"""Mutants of one wild type predicted through their differences to it, on a CPU with fast bf16.

See `layer` for how, and docs/screen-notes.md for what it gains and how exact it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glass_core.embedders.compact_encoder import CompactEncoder, rotary_tables, tokenise
from glass_core.models.differences.layer import Layer, Scratch, WildLayer
from glass_core.models.heads.fold import FoldHead, global_embedding
from glass_core.models.heads.siamese import SiameseTransformer, predicted_lddt, predicted_tm

DIFFERENTIAL_DTYPE = "float32, differences in bfloat16"
BATCH_RESIDUES = 4_000


@dataclass(frozen=True, eq=False)
class _WildType:
    """What every part of the network does to the wild type.

    Attributes
    ----------
    tokens : Tensor, shape=(L,)
    convolved : list of Tensor, shape=(L, D) each
        The embedded letters, then what each convolution gives.
    encoder, head : list of WildLayer
    per_residue : Tensor, shape=(L, O)
    pooled : Tensor
        Z, of the head that gives the TM-score.
    """

    tokens: Tensor
    convolved: list[Tensor]
    encoder: list[WildLayer]
    head: list[WildLayer]
    per_residue: Tensor
    pooled: Tensor


class DifferentialNetwork:
    """The compact encoder and its heads, applied to substitutions in one wild type."""

    def __init__(
        self, encoder: CompactEncoder, head: SiameseTransformer, fold: FoldHead | None = None
    ) -> None:
        self._encoder, self._head, self._fold = encoder, head, fold
        dim, heads = encoder.config.dim, encoder.config.heads
        cos, sin = rotary_tables(encoder.config.window, dim // heads, torch.device("cpu"))
        turn = torch.complex(cos, sin).repeat(1, 2 * heads)
        self._encoder_layers = [Layer.of_encoder(one, turn) for one in encoder.layers]
        self._head_layers = [Layer.of_head(one) for one in head.transformer_layers]

    @torch.inference_mode()
    def compare(
        self,
        wild_type: str,
        mutants: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Compare M mutants with the wild type: TM-score, shape=(M,), and lDDT, shape=(M, L).

        Parameters
        ----------
        wild_type : str
            At most as long as the encoder's window.
        mutants : sequence of str
            Of the same length.
        progress : callable, optional
            Called with (mutants done, mutants in all).
        """
        wild = self._wild(wild_type)
        size = max(BATCH_RESIDUES // len(wild_type), 1)
        widest = max(
            max(one.half.shape)
            for layer in (*self._encoder_layers, *self._head_layers)
            for one in (layer.qkv, layer.expand)
        )
        scratch = Scratch(size * len(wild_type), widest)
        scores = []
        for start in range(0, len(mutants), size):
            tokens, _ = tokenise(mutants[start : start + size])
            scores.append(self._scores(tokens, wild, scratch))
            if progress is not None:
                progress(min(start + size, len(mutants)), len(mutants))
        tm, lddt = zip(*scores, strict=True)
        return torch.cat(tm), torch.cat(lddt)

    def _wild(self, wild_type: str) -> _WildType:
        tokens, mask = tokenise([wild_type])
        convolved = [self._encoder.embedding(tokens)]
        for convolution in self._encoder.convolutions:
            convolved.append(convolution(convolved[-1], mask))
        x, encoder, head = convolved[-1][0], [], []
        for layer in self._encoder_layers:
            x, known = layer.wild(x)
            encoder.append(known)
        residues = self._encoder.norm(x)
        x = self._head.input_projection(residues)
        for layer in self._head_layers:
            x, known = layer.wild(x)
            head.append(known)
        made = self._head.output_projection(x)
        return _WildType(
            tokens[0],
            [one[0] for one in convolved],
            encoder,
            head,
            made,
            self._pooled(residues[None], made[None])[0],
        )

    def _pooled(self, residues: Tensor, per_residue: Tensor) -> Tensor:
        """Z, shape=(B, Z), by the head that gives the TM-score."""
        everywhere = torch.ones(residues.shape[:2], dtype=torch.bool)
        return global_embedding(self._head, self._fold, residues, per_residue, everywhere)

    def _scores(self, tokens: Tensor, wild: _WildType, scratch: Scratch) -> tuple[Tensor, Tensor]:
        x, changed = self._convolved(tokens, wild)
        only: Tensor | None = changed
        for layer, known in zip(self._encoder_layers, wild.encoder, strict=True):
            layer.mutants(x, known, scratch, only)
            only = None
        residues = self._encoder.norm(x)
        x = self._head.input_projection(residues)
        for layer, known in zip(self._head_layers, wild.head, strict=True):
            layer.mutants(x, known, scratch)
        made = self._head.output_projection(x).view(*tokens.shape, -1)
        pooled = self._pooled(residues.view(*tokens.shape, -1), made)
        return (predicted_tm(wild.pooled, pooled), predicted_lddt(wild.per_residue, made))

    def _convolved(self, tokens: Tensor, wild: _WildType) -> tuple[Tensor, Tensor]:
        """Residues before the first layer, shape=(N, D), and which differ from the wild type's.

        A convolution reaches `conv_width` // 2 residues to either side of a change; the others
        are copied from the wild type.
        """
        batch, length = tokens.shape
        reach = self._encoder.config.conv_width // 2
        changed = tokens != wild.tokens
        rows = changed.view(-1).nonzero().squeeze(1)
        x = wild.convolved[0].repeat(batch, 1)
        x.index_copy_(0, rows, self._encoder.embedding(tokens.view(-1)[rows]))
        convolutions: list[Any] = list(self._encoder.convolutions)
        for convolution, known in zip(convolutions, wild.convolved[1:], strict=True):
            changed = F.max_pool1d(changed.float(), 2 * reach + 1, 1, reach) > 0
            rows = changed.view(-1).nonzero().squeeze(1)
            near = rows[:, None] + torch.arange(-reach, reach + 1)
            inside = (near // length == rows[:, None] // length) & (near >= 0)
            around = x[near.clamp(0, len(x) - 1)]
            made = convolution.of_windows(around, inside)
            x = known.repeat(batch, 1)
            x.index_copy_(0, rows, made)
        return x, rows
