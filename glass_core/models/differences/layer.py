"""A transformer layer applied to mutants that differ little from a wild type.

Attention is computed as ever. The feed-forward of a mutant is that of the wild type plus what
the difference makes of it, and only the products with the difference are taken in bf16: their
rounding is relative to the difference. Residues that moved far, and the N-terminal ones, take
the plain path in fp32.

Shape notation: B mutants of L residues in a batch, D width, F width inside, N = B * L.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOVED = 0.07
"""Residues whose normed activation moved by more than this share of its length are exact."""
N_TERMINAL = 8
"""So are this many first residues, where the encoder answers a small change with a large one."""


@dataclass(frozen=True, eq=False)
class Linear:
    """The parameters of a linear layer, its weights in fp32 and, transposed, in bf16."""

    weight: Tensor
    bias: Tensor
    half: Tensor

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor) -> Linear:
        """From the parameters of a module."""
        weight = weight.detach()
        return cls(weight, bias.detach(), weight.bfloat16().t())

    def __call__(self, x: Tensor) -> Tensor:
        """The plain layer."""
        return F.linear(x, self.weight, self.bias)


class Scratch:
    """Memory that every layer and batch uses anew; fresh pages cost more than many a sum."""

    def __init__(self, rows: int, width: int) -> None:
        self._half_in, self._half_out = torch.empty(2, rows * width, dtype=torch.bfloat16)
        self._full = torch.empty(rows * width)

    def full(self, rows: int, width: int) -> Tensor:
        """An fp32 matrix, which holds what was last written there."""
        return self._full[: rows * width].view(rows, width)

    def plain(self, x: Tensor, linear: Linear) -> Tensor:
        """The plain layer; the result lies in `full`."""
        made = self.full(len(x), len(linear.bias))
        return torch.addmm(linear.bias, x, linear.weight.t(), out=made)

    def product(self, difference: Tensor, linear: Linear) -> Tensor:
        """Product of a difference, shape=(N, K), and the weights in bf16; lies in `full`."""
        rows, (width, made) = len(difference), linear.half.shape
        left = self._half_in[: rows * width].view(rows, width)
        right = self._half_out[: rows * made].view(rows, made)
        torch.mm(left.copy_(difference), linear.half, out=right)
        return self.full(rows, made).copy_(right)


@dataclass(frozen=True, eq=False)
class WildLayer:
    """What a layer does to the wild type.

    Attributes
    ----------
    qkv : Tensor, shape=(L, 3 D)
        Queries, keys and values, not yet turned.
    normed : Tensor, shape=(L, D)
        What the feed-forward takes.
    limit : Tensor, shape=(L,)
        How far it may move before the residue is taken to be exact.
    expanded, active : Tensor, shape=(L, F)
        Before and after the activation function.
    contracted : Tensor, shape=(L, D)
    """

    qkv: Tensor
    normed: Tensor
    limit: Tensor
    expanded: Tensor
    active: Tensor
    contracted: Tensor


@dataclass(frozen=True, eq=False)
class Layer:
    """A pre-norm transformer layer of the encoder or of the head.

    Attributes
    ----------
    activation : callable
        Works in place.
    turn : Tensor or None, shape=(longest, D), dtype=complex64
        Rotary positions; columns that are turned together stand side by side.
    """

    norm_attention: nn.LayerNorm
    qkv: Linear
    out: Linear
    norm_feedforward: nn.LayerNorm
    expand: Linear
    contract: Linear
    activation: Callable[[Tensor], Tensor]
    heads: int
    turn: Tensor | None = None

    @classmethod
    def of_encoder(cls, layer: Any, turn: Tensor) -> Layer:
        """From a layer of `CompactEncoder`; columns of queries and keys change places."""
        dim = layer.qkv.in_features
        pairs = torch.arange(dim).view(layer.heads, 2, -1).transpose(1, 2).reshape(-1)
        order = torch.cat([pairs, pairs + dim, torch.arange(2 * dim, 3 * dim)])
        out, up, down = layer.attention_out, layer.expand, layer.contract
        return cls(
            layer.norm_attention,
            Linear.of(layer.qkv.weight[order], layer.qkv.bias[order]),
            Linear.of(out.weight, out.bias),
            layer.norm_feedforward,
            Linear.of(up.weight, up.bias),
            Linear.of(down.weight, down.bias),
            torch.ops.aten.gelu_,
            layer.heads,
            turn,
        )

    @classmethod
    def of_head(cls, layer: Any) -> Layer:
        """From a layer of `SiameseTransformer`."""
        attention, up, down = layer.self_attn, layer.linear1, layer.linear2
        return cls(
            layer.norm1,
            Linear.of(attention.in_proj_weight, attention.in_proj_bias),
            Linear.of(attention.out_proj.weight, attention.out_proj.bias),
            layer.norm2,
            Linear.of(up.weight, up.bias),
            Linear.of(down.weight, down.bias),
            torch.relu_,
            attention.num_heads,
        )

    def wild(self, x: Tensor) -> tuple[Tensor, WildLayer]:
        """The layer applied to the wild type, shape=(L, D), and what it did."""
        qkv = self.qkv(self.norm_attention(x))
        x = x + self.out(self._attended(qkv.clone(), len(x)))
        normed = self.norm_feedforward(x)
        expanded = self.expand(normed)
        active = self.activation(expanded.clone())
        contracted = self.contract(active)
        limit = MOVED * torch.linalg.vector_norm(normed, dim=-1)
        limit[:N_TERMINAL] = -1
        return x + contracted, WildLayer(qkv, normed, limit, expanded, active, contracted)

    def mutants(
        self, x: Tensor, wild: WildLayer, scratch: Scratch, changed: Tensor | None = None
    ) -> None:
        """The layer applied to mutants, shape=(N, D), in place.

        Parameters
        ----------
        x : Tensor, shape=(N, D)
        wild : WildLayer
        scratch : Scratch
        changed : Tensor, optional, shape=(R,), dtype=int64
            The only rows in which `x` differs from the wild type.
        """
        if changed is None:
            qkv = scratch.plain(self.norm_attention(x), self.qkv)
        else:
            qkv = scratch.full(len(x), wild.qkv.shape[1])
            qkv.view(-1, *wild.qkv.shape).copy_(wild.qkv)
            some = self.norm_attention(x.index_select(0, changed))
            qkv.index_copy_(0, changed, self.qkv(some))
        x += scratch.plain(self._attended(qkv, len(wild.qkv)), self.out)
        self._feed_forward(x, wild, scratch)

    def _feed_forward(self, x: Tensor, wild: WildLayer, scratch: Scratch) -> None:
        batched = (-1, len(wild.qkv))
        normed = self.norm_feedforward(x)
        difference = normed.unflatten(0, batched).sub_(wild.normed)
        moved = torch.linalg.vector_norm(difference, dim=-1) > wild.limit
        exact = moved.view(-1).nonzero().squeeze(1)
        rows = x.index_select(0, exact)
        rows += self.contract(self.activation(self.expand(self.norm_feedforward(rows))))
        inner = scratch.product(normed, self.expand)
        inner.unflatten(0, batched).add_(wild.expanded)
        self.activation(inner).unflatten(0, batched).sub_(wild.active)
        x += scratch.product(inner, self.contract)
        x.unflatten(0, batched).add_(wild.contracted)
        x.index_copy_(0, exact, rows)

    def _attended(self, qkv: Tensor, length: int) -> Tensor:
        """What attention gathers, shape=(N, D); `qkv`, shape=(N, 3 D), is turned in place."""
        dim = qkv.shape[1] // 3
        if self.turn is not None:
            pairs = qkv.view(-1, length, 3 * dim)[..., : 2 * dim].unflatten(-1, (dim, 2))
            torch.view_as_complex(pairs).mul_(self.turn[:length])
        heads = qkv.view(-1, length, 3, self.heads, dim // self.heads).transpose(1, 3)
        query, key, value = heads.unbind(2)
        attended = F.scaled_dot_product_attention(query, key, value)
        return attended.transpose(1, 2).reshape(-1, dim)
