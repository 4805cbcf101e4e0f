"""ProtT5-XL-UniRef50, encoder only, from weights on this machine.

Elnaggar et al., "ProtTrans", IEEE Trans. Pattern Anal. Mach. Intell. 44, 7112 (2022).
Weights: ``Rostlab/prot_t5_xl_half_uniref50-enc`` (encoder, half precision) or
``Rostlab/prot_t5_xl_uniref50`` (full model; its decoder is not loaded).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from glass_core.embedders.base import Count, Embedding, InstalledEmbedder, Luggage, matrix_products
from glass_core.embedders.batching import is_out_of_memory, run_in_batches
from glass_core.embedders.kinds import PROTT5
from glass_core.embedders.published import PUBLISHED, find_folder, has_weights
from glass_core.errors import ModelError, UnavailableError, one_line
from glass_core.protein.sequence import for_embedding
from glass_core.settings import Settings

DEFAULT_REPOSITORY = PUBLISHED[PROTT5].source
DOWNLOAD_GB = {
    DEFAULT_REPOSITORY: PUBLISHED[PROTT5].megabytes / 1000,
    "Rostlab/prot_t5_xl_uniref50": 11.0,
}
"""Approximate size of the download by repository, in gigabytes."""

PAD, END = 0, 1
VOCABULARY = {letter: number for number, letter in enumerate("ALGVSREDTIPKFQNYMHWCX", start=3)}
"""Token of each residue letter, as in the published sentence-piece model."""

_TOKEN_BUDGET = {"cpu": 2_000, "cuda": 8_000}


def weights_command(source: str = DEFAULT_REPOSITORY) -> str:
    """The command that puts weights into the Hugging Face cache, with their size.

    Those of the default where `source` is a folder or no repository with them.
    """
    repository = source if source in DOWNLOAD_GB else DEFAULT_REPOSITORY
    return f"hf download {repository}  # about {DOWNLOAD_GB[repository]:g} GB"


def find_weights(source: str = DEFAULT_REPOSITORY) -> Path:
    """The local folder that holds the weights of `source`.

    Parameters
    ----------
    source : str
        A folder in the Hugging Face layout, or the name of a repository that
        is looked up in the Hugging Face cache. Nothing is downloaded.

    Raises
    ------
    UnavailableError
        Not there, or only partly; the message names the command and the size.
    """
    folder = find_folder(source, source)
    if folder is None:
        raise UnavailableError(
            f"ProtT5: the weights '{source}' are not on this machine; {_advice(source)}"
        )
    if not (folder / "config.json").is_file():
        raise UnavailableError(f"ProtT5: {folder.name} has no config.json; {_advice(source)}")
    if not has_weights(folder):
        raise UnavailableError(f"ProtT5: {folder.name} holds no weights; {_advice(source)}")
    return folder


def _advice(source: str) -> str:
    return f"fetch them with: {weights_command(source)}"


class ProtT5Embedder(InstalledEmbedder):
    """Per-residue ProtT5 embeddings.

    Parameters
    ----------
    model : transformers.T5EncoderModel
    name : str
        Repository or folder name with revision.
    token_budget : int, optional
        Residues (with padding) per batch; halves itself when memory runs out.
    """

    kind = PROTT5

    def __init__(
        self, model: Any, name: str, device: torch.device, token_budget: int | None = None
    ) -> None:
        if model.config.vocab_size <= max(VOCABULARY.values()):
            raise ModelError(f"{name}: is no ProtT5 model; its vocabulary is too small.")
        self._model = model.to(device).eval()
        self._per_token = matrix_products(model.encoder)
        self.name = name
        self.dim = int(model.config.d_model)
        self.device = device
        self.dtype: torch.dtype = model.dtype
        self.token_budget = token_budget or _TOKEN_BUDGET.get(device.type, 2_000)

    @classmethod
    def of_model(
        cls, luggage: Luggage | None, settings: Settings, device: torch.device
    ) -> ProtT5Embedder:
        """The weights that the settings name, whatever the model brings."""
        return cls.load(device, settings.prott5)

    @staticmethod
    def unavailable_reason(settings: Settings) -> str | None:
        """Which weights are missing and how to get them; None when they are there."""
        try:
            find_weights(settings.prott5)
        except UnavailableError as error:
            return str(error)
        return None

    def cost(self, length: int) -> float:
        """Products with the weights; attention is small up to a thousand residues."""
        return float(self._per_token * length)

    @staticmethod
    def load(
        device: torch.device,
        source: str = DEFAULT_REPOSITORY,
        dtype: torch.dtype | None = None,
        token_budget: int | None = None,
    ) -> ProtT5Embedder:
        """Load the encoder onto `device`.

        Parameters
        ----------
        dtype : torch.dtype, optional
            Default: bfloat16 on CUDA devices that compute in it, float16 on
            others, float32 on the CPU.

        Raises
        ------
        UnavailableError
            The weights are missing or do not fit into memory.
        ModelError
            The folder holds something else, or damaged files.
        """
        from safetensors import SafetensorError
        from transformers import T5EncoderModel

        folder = find_weights(source)
        dtype = dtype or _default_dtype(device)
        try:
            loaded: Any = T5EncoderModel.from_pretrained(
                folder, dtype=dtype, local_files_only=True, output_loading_info=True
            )
            model, info = loaded
        except (OSError, ValueError, KeyError, SafetensorError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise UnavailableError(
                    f"ProtT5: {source} does not fit into memory; it needs about 6 GB in float32."
                ) from error
            raise ModelError(f"ProtT5: {source} cannot be loaded ({one_line(error)}).") from error
        missing = sorted(info["missing_keys"])
        if missing:
            raise ModelError(
                f"ProtT5: {source} lacks {len(missing)} tensors of the encoder, such as "
                f"{missing[0]}; the download may be incomplete. {_advice(source)}"
            )
        revision = folder.name[:12] if folder.parent.name == "snapshots" else "local"
        name = source if source in DOWNLOAD_GB else folder.name
        return ProtT5Embedder(model, f"{name}@{revision}", device, token_budget)

    def embed(self, sequences: Sequence[str], progress: Count | None = None) -> list[Embedding]:
        """Embed `sequences`, in the order given; nothing is truncated.

        Raises
        ------
        UnavailableError
            One sequence alone does not fit into the device's memory.
        """
        return run_in_batches(sequences, self._embed_batch, self.token_budget, progress)

    @torch.inference_mode()
    def _embed_batch(self, sequences: list[str]) -> list[Embedding]:
        lengths = [len(sequence) for sequence in sequences]
        tokens = torch.full((len(sequences), max(lengths) + 1), PAD, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, sequence in enumerate(sequences):
            tokens[row, : lengths[row] + 1] = torch.tensor(encode(sequence))
            mask[row, : lengths[row] + 1] = 1
        output = self._model(
            input_ids=tokens.to(self.device), attention_mask=mask.to(self.device)
        ).last_hidden_state
        # The end token behind each sequence was attended to but is no residue.
        return [
            Embedding(sequence, output[row, :length].float().cpu().clone())
            for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True))
        ]


def encode(sequence: str) -> list[int]:
    """Token numbers of `sequence` with the end token; ``U Z O B J`` are read as X."""
    return [VOCABULARY[letter] for letter in for_embedding(sequence)] + [END]


def _default_dtype(device: torch.device) -> torch.dtype:
    if device.type != "cuda":
        return torch.float32
    return (
        torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    )
