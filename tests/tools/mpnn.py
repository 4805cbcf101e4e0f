"""ProteinMPNN with weights that a formula gives: no download, and the same everywhere."""

from __future__ import annotations

import zlib

import numpy as np
import torch

from glass_core.embedders.mpnn import VIEWS, StructureEmbedder
from glass_core.embedders.mpnn_network import ProteinMPNN
from glass_core.models.heads.combined import INGREDIENTS, CombinedConfig, CombinedHead
from glass_core.models.heads.stability import Interval, StabilityConfig, StabilityHead
from glass_core.models.heads.structure_effect import StructureEffectConfig, StructureEffectHead

WIDE = Interval((-1.0, 3.0), (0.5, 1.5), (1.0, 2.0))


def made_weights(network: ProteinMPNN) -> ProteinMPNN:
    """The network with weights that a formula gives."""
    for name, tensor in network.state_dict().items():
        number = np.arange(tensor.numel())
        values = np.sin(zlib.crc32(name.encode()) % 1000 + 0.7 * number * (1 + number % 7))
        values = values.reshape(tuple(tensor.shape))
        if tensor.ndim > 1:
            values = values / np.sqrt(tensor.shape[-1])
        else:
            values = 0.1 * values + (1 if "norm" in name and name.endswith("weight") else 0)
        tensor.copy_(torch.from_numpy(values))
    return network.eval()


def made_structure_embedder() -> StructureEmbedder:
    """A reader of structures, right in form and meaningless in value."""
    networks = {view: made_weights(ProteinMPNN(trace=view == "trace")) for view in VIEWS}
    return StructureEmbedder(networks, torch.device("cpu"))


def stability_head(dim: int = 16) -> StabilityHead:
    """A small head that reads structures."""
    torch.manual_seed(1)
    config = StabilityConfig(dim, hidden_dim=8, members=2, with_structure=WIDE)
    return StabilityHead(config).eval()


def effect_head(dim: int = 16) -> StructureEffectHead:
    """Another one."""
    torch.manual_seed(2)
    return StructureEffectHead(StructureEffectConfig(dim, hidden_dim=8, members=2)).eval()


def combined_head() -> CombinedHead:
    """Weights that differ by pattern and ingredient."""
    head = CombinedHead(CombinedConfig())
    with torch.no_grad():
        head.weight.copy_(torch.arange(1.0, 17.0).reshape(2, 2, len(INGREDIENTS)) / 10)
        head.offset.copy_(torch.tensor([[0.0, 0.5], [-0.5, -1.0]]))
    return head
