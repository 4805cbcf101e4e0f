"""ESM-2's log-odds of substitutions, from weights on this machine.

Lin et al., "Evolutionary-scale prediction of atomic-level protein structure with a language
model", Science 379, 1123 (2023), under the MIT licence. Reading such a model's probabilities
as effects: Meier et al., "Language models enable zero-shot prediction of the effects of
mutations on protein function", NeurIPS 34 (2021).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glass_core.embedders.batching import is_out_of_memory, run_in_batches
from glass_core.embedders.compact import windows
from glass_core.embedders.esm2_files import MASK, TOKEN, Source, find_source, read_config
from glass_core.errors import ModelError, UnavailableError, one_line
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.external import ExternalScores
from glass_core.protein.sequence import STANDARD, check_residues, for_embedding
from glass_core.protein.substitutions import no_substitution
from glass_core.settings import Settings

WINDOW = 1_022
"""Residues seen at once: as many as in training, where two more tokens stood about them."""
CITATION = "Lin et al., Science 379, 1123 (2023); Meier et al., NeurIPS 34 (2021)"
_LETTERS = [TOKEN[letter] for letter in STANDARD]
_TOKEN_BUDGET = {"cpu": 4_000, "cuda": 16_000}
_UNUSED = ("contact_head", "inv_freq")
"""Parts that log-odds do not need, or that are computed; a file may lack them."""


class Esm2:
    """ESM-2 with its head for masked letters, in fp32.

    Parameters
    ----------
    model : transformers.EsmForMaskedLM
    source : Source
        Where it is from.
    token_budget : int, optional
        Residues per batch; halves itself when memory runs out.
    """

    def __init__(
        self, model: Any, source: Source, device: torch.device, token_budget: int | None = None
    ) -> None:
        self._model = model.to(device).eval()
        self.source = source
        self.device = device
        self.token_budget = token_budget or _TOKEN_BUDGET.get(device.type, 4_000)

    @staticmethod
    def load(settings: Settings, device: torch.device) -> Esm2:
        """The weights that the settings name.

        Raises
        ------
        UnavailableError
            None are named, they are not on this machine, or do not fit into memory.
        ModelError
            The folder holds another model, or damaged files.
        """
        from safetensors import SafetensorError
        from transformers import EsmConfig, EsmForMaskedLM

        source = find_source(settings.esm2)
        config = EsmConfig(**read_config(source))
        try:
            loaded: Any = EsmForMaskedLM.from_pretrained(
                source.folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                weights_only=True,
                output_loading_info=True,
            )
        except (
            OSError,
            ValueError,
            KeyError,
            RuntimeError,
            SafetensorError,
            UnpicklingError,
        ) as error:
            if is_out_of_memory(error):
                raise UnavailableError(
                    f"{source.title}: does not fit into memory; use a smaller one."
                ) from error
            raise ModelError(f"{source.title}: cannot be loaded ({one_line(error)}).") from error
        model, info = loaded
        missing = [n for n in sorted(info["missing_keys"]) if not any(u in n for u in _UNUSED)]
        if missing:
            raise ModelError(
                f"{source.title}: lacks {len(missing)} tensors, such as {missing[0]}; the download "
                f"may be incomplete. {source.advice}"
            )
        return Esm2(model, source, device)

    def wild_type_marginals(self, sequence: str, watch: Watch = UNWATCHED) -> ExternalScores:
        """Log-odds of every substitution, from one pass over the wild type.

        Longer sequences than `WINDOW` are read in overlapping windows; each residue is taken
        from the one in whose middle it lies deeper.

        Parameters
        ----------
        sequence : str
            Letters outside the 20 are read as X.
        watch : Watch
            Is told the progress, and may cancel between batches.

        Returns
        -------
        ExternalScores
            Natural log p(mutant) - log p(wild type). NaN at letters outside the 20.

        Raises
        ------
        UnavailableError
            One window alone does not fit into the device's memory.
        Cancelled
            That was asked for.
        """
        cuts = windows(len(check_residues(sequence, "sequence")), WINDOW)
        read = for_embedding(sequence)
        tables = self._run([read[cut.start : cut.stop] for cut in cuts], watch)
        rows = [t[cut.first : cut.last] for t, cut in zip(tables, cuts, strict=True)]
        return self._scores(sequence, torch.cat(rows).numpy(), "esm2", "wild-type marginals")

    def masked_marginals(self, sequence: str, watch: Watch = UNWATCHED) -> ExternalScores:
        """Log-odds of every substitution with its position hidden: one pass for each position.

        As `wild_type_marginals`, about as many times slower as there are residues; of the ways
        that Meier et al. compare, the closest to measured effects.
        """
        read = for_embedding(check_residues(sequence, "sequence"))
        hidden, indices = [], []
        for cut in windows(len(sequence), WINDOW):
            piece = read[cut.start : cut.stop]
            for place in range(cut.first, cut.last):
                if piece[place] in STANDARD:
                    hidden.append(piece[:place] + MASK + piece[place + 1 :])
                    indices.append(cut.start + place)
        logits = np.full((len(sequence), len(STANDARD)), np.nan)
        if hidden:
            logits[indices] = torch.cat(self._run(hidden, watch)).numpy()
        return self._scores(sequence, logits, "esm2_masked", "masked marginals")

    def _run(self, pieces: list[str], watch: Watch) -> list[Tensor]:
        """Logits of the 20 letters for each piece, on the CPU; see `_batch`."""

        def batch(some: list[str]) -> list[Tensor]:
            watch.stop_if_cancelled("ESM-2")
            return self._batch(some)

        def tell(done: int, total: int) -> None:
            watch.tell("ESM-2", done / total)

        return run_in_batches(pieces, batch, self.token_budget, tell)

    @torch.inference_mode()
    def _batch(self, pieces: list[str]) -> list[Tensor]:
        """Shape=(L, 20) for each piece, or (1, 20) where a letter of it is hidden.

        Pieces are of one length, so that nothing is padded.
        """
        tokens = [[TOKEN["<cls>"], *map(TOKEN.__getitem__, p), TOKEN["<eos>"]] for p in pieces]
        output = self._model(input_ids=torch.tensor(tokens, device=self.device))
        logits = output.logits[:, 1:-1, _LETTERS].float().cpu()
        places = [piece.find(MASK) for piece in pieces]
        return [
            (row if place < 0 else row[place : place + 1]).clone()
            for row, place in zip(logits, places, strict=True)
        ]

    def _scores(
        self, sequence: str, logits: NDArray[np.floating], kind: str, way: str
    ) -> ExternalScores:
        """What the model makes likely, against the wild type's letter.

        Log-probabilities of one position differ from logits by the same number.
        """
        own = np.array([STANDARD.find(letter) for letter in sequence])
        logits = logits.astype(float)
        odds = logits - np.take_along_axis(logits, np.maximum(own, 0)[:, None], axis=1)
        return ExternalScores(
            kind=kind,
            name=f"{self.source.title} ({way})",
            source=self.source.name,
            version=self.source.version,
            licence=self.source.licence,
            citation=CITATION,
            scale="natural log-odds against the wild type's residue, lower = more damaging",
            higher_is_damaging=False,
            sequence=sequence,
            score=np.where(no_substitution(sequence), np.nan, odds),
            retrieved=datetime.now(UTC).isoformat(timespec="seconds"),
            additive=True,
        )
