"""CLSS's own checkpoints: the tower of sequences, over ESM-2 as its authors trained it.

``CLSS-sub.lckpt`` or ``CLSS-full.lckpt`` (Yanai et al., bioRxiv 2025). The tower of structures
stands on ESM3, under a licence of its own, and is not read; vectors that were made elsewhere are
(`vectors_file`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from glass_core.embedders.esm2_files import TOKEN
from glass_core.errors import ModelError, UnavailableError
from glass_core.models.card import file_sha256
from glass_core.models.space.base import SpaceInfo, Told, untold
from glass_core.models.torch_files import fill, read_torch_file, tensors_of
from glass_core.protein.sequence import check_residues, for_embedding
from glass_core.protein.structure.backbone import Backbone

SUFFIX = ".lckpt"
_ENCODER, _ADAPTER = "sequence_encoder.", "sequence_adapter.1."
_COMPUTED = ("inv_freq", "position_ids")
"""Of older versions of transformers: computed, not learnt."""
_WORDS = "embeddings.word_embeddings.weight"
_CONTACTS = "contact_head.regression.weight"
_LEFT_OUT = "temperature", "structure_encoder.", "structure_adapter."


class ClssSpace:
    """The tower of sequences of a CLSS checkpoint; implements `Space`.

    Sequences are embedded one by one, in fp32; the mean is over all tokens, the first and the
    last, which are no residues, among them.
    """

    def __init__(
        self, encoder: nn.Module, adapter: nn.Linear, info: SpaceInfo, device: torch.device
    ) -> None:
        self._encoder, self._adapter = encoder.to(device).eval(), adapter.to(device).eval()
        self._info, self._device = info, device

    @classmethod
    def load(cls, checkpoint: Path, device: torch.device) -> ClssSpace:
        """Read a checkpoint; tensors alone are taken from it, and none of its code is run.

        Raises
        ------
        ModelError
            Not a checkpoint of CLSS, or a damaged one.
        """
        tensors = tensors_of(read_torch_file(checkpoint), checkpoint)
        encoder = {
            name.removeprefix(_ENCODER): one
            for name, one in tensors.items()
            if name.startswith(_ENCODER) and not name.endswith(_COMPUTED)
        }
        adapter = {
            name.removeprefix(_ADAPTER): one
            for name, one in tensors.items()
            if name.startswith(_ADAPTER)
        }
        if not encoder or set(adapter) != {"weight", "bias"} or adapter["weight"].ndim != 2:
            raise ModelError(
                f"{checkpoint.name}: holds no tower of sequences of CLSS ({_ENCODER}..., "
                f"{_ADAPTER}weight, {_ADAPTER}bias)."
            )
        unknown = [
            name for name in tensors if not name.startswith((_ENCODER, _ADAPTER, *_LEFT_OUT))
        ]
        if unknown:
            raise ModelError(f"{checkpoint.name}: holds a tensor of no part of CLSS: {unknown[0]}.")
        network = _network(encoder, checkpoint)
        computed = {n: v for n, v in network.state_dict().items() if n.endswith(_COMPUTED)}
        fill(network, {**encoder, **computed}, checkpoint)
        with torch.device("meta"):
            linear = nn.Linear(adapter["weight"].shape[1], len(adapter["weight"]))
        fill(linear, adapter, checkpoint)
        if linear.in_features != encoder[_WORDS].shape[1]:
            raise ModelError(f"{checkpoint.name}: its adapter does not fit its encoder.")
        info = SpaceInfo(
            checkpoint.stem,
            "checkpoint of CLSS",
            file_sha256(checkpoint),
            linear.out_features,
            f"ESM-2 of {checkpoint.stem}",
            "",
        )
        return cls(network, linear, info, device)

    @property
    def info(self) -> SpaceInfo:
        """Which space this is."""
        return self._info

    @torch.inference_mode()
    def of_sequences(self, sequences: Sequence[str], told: Told = untold) -> NDArray[np.float32]:
        """See `Space.of_sequences`."""
        found = np.empty((len(sequences), self._info.dim), np.float32)
        for row, sequence in enumerate(sequences):
            letters = for_embedding(check_residues(sequence, f"sequence {row + 1}"))
            tokens = [TOKEN["<cls>"], *map(TOKEN.__getitem__, letters), TOKEN["<eos>"]]
            ids = torch.tensor([tokens], device=self._device)
            output: Any = self._encoder(input_ids=ids, attention_mask=torch.ones_like(ids))
            mean = output.last_hidden_state.mean(dim=1)
            found[row] = F.normalize(self._adapter(F.relu(mean)), dim=-1)[0].cpu().numpy()
            told(row + 1)
        return found

    def of_structures(
        self, backbones: Sequence[Backbone], told: Told = untold
    ) -> NDArray[np.float32]:
        """Never: it would need ESM3.

        Raises
        ------
        UnavailableError
        """
        raise UnavailableError(
            f"{self._info.name}: places no structures here: its tower of structures needs ESM3, "
            "which has a licence of its own; give vectors that were made elsewhere in a file."
        )


def _network(tensors: Mapping[str, Tensor], checkpoint: Path) -> nn.Module:
    """ESM-2 of the shape that its tensors have, its weights still to come.

    Raises
    ------
    ModelError
        They are not those of ESM-2.
    """
    from transformers import EsmConfig, EsmModel

    layers = {name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")}
    first = tensors.get("encoder.layer.0.intermediate.dense.weight")
    contacts, words = tensors.get(_CONTACTS), tensors.get(_WORDS)
    if first is None or contacts is None or words is None or first.ndim != 2:
        raise ModelError(f"{checkpoint.name}: its encoder is not ESM-2's.")
    heads = contacts.numel() // len(layers)
    if not heads or words.shape[1] % heads:
        raise ModelError(f"{checkpoint.name}: its encoder's heads do not fit its width.")
    config = EsmConfig(
        vocab_size=len(words),
        hidden_size=words.shape[1],
        num_hidden_layers=len(layers),
        num_attention_heads=heads,
        intermediate_size=len(first),
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before="embeddings.layer_norm.weight" in tensors,
        pad_token_id=TOKEN["<pad>"],
        mask_token_id=TOKEN["<mask>"],
        layer_norm_eps=1e-5,
    )
    return EsmModel(config, add_pooling_layer="pooler.dense.weight" in tensors)
