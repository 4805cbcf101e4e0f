"""Residues of several chains together, as the joint encoder reads them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glass_core.embedders.base import Embedder
from glass_core.embedders.joint import JointEmbedder, Sites


def read_chains(
    embedder: Embedder, joint: JointEmbedder, sequences: Sequence[str], sites: Sites
) -> Tensor:
    """Joint vectors of the residues of several chains, shape=(n, J).

    Parameters
    ----------
    sequences : sequence of str
        Of each chain, in the order of its residues in `sites`.
    """
    embedded = [one.residues.float().cpu() for one in embedder.embed(sequences)]
    return joint.read(sites, torch.cat(embedded))
