"""How good a model was found to be: the records that `evaluate` writes, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glass_core.errors import InputError

EVALUATION_FORMAT = "glass-evaluation/1"
EVALUATION_FOLDER = "evaluation"
"""Inside a model's folder."""
MODEL, MODEL_SEQUENCE = "model", "model from sequence"
"""The model itself, by its effect head, among the predictors of a record; without the structure,
in records where it has one."""
STABILITY, STABILITY_SEQUENCE = "stability", "stability from sequence"
"""Its stability head, with the structure where there is one, and without."""
ALIGNMENT = "alignment"
COMBINED, COMBINED_UNALIGNED = "combined", "combined without the alignment"
"""All evidence at hand in one chance, and the same with an alignment held back."""
WITHOUT_SITE = "model without the site"
ESTIMATE, LETTER_PAIRS = "estimate", "mean of the two letters"
"""The estimate head, and what it is compared with: means over training by both letters."""
BY_ALIGNMENT, BY_VECTORS = "alignment of the candidates", "vectors"
"""Ways to rank the neighbours of a protein, the model's own."""
COLUMN = "column of the relatives"
"""What stands at a site in proteins of the same fold."""
MMSEQS, MEAN, COSINE = "MMseqs2", "mean embedding", "cosine of the residues"
HEAD, HEAD_SEQUENCE = "head", "head without the structure"
"""A head of properties, and the same where the structure is held back."""
ENCODERS = "stability"
"""Set of the record of a model of properties that compares encoders."""
UNTRAINED, BURIAL, BLOSUM = "ProteinMPNN untrained", "burial", "BLOSUM62"
KINDS = (
    "pairs",
    "effects",
    "clinical",
    "secondary",
    "local change",
    "reverse",
    "estimate",
    "search",
    "space",
    "property",
)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One model on one set.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    set : str
        Such as ``fold``, ``point_mutant``, ``stability``, ``clinical``.
    side : str
        Which side of the split the rows are from.
    model : dict
        Name, version, hash and embedder.
    content : dict
        The record: ``figures`` (who -> figure -> value, low, high), ``rows`` and more.
    """

    kind: str
    set: str
    side: str
    model: dict[str, Any]
    content: dict[str, Any]

    @staticmethod
    def read(path: Path) -> Evaluation:
        """Read a record.

        Raises
        ------
        InputError
            Not a record of this format.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != EVALUATION_FORMAT or content["kind"] not in KINDS:
                raise ValueError(f"format is not {EVALUATION_FORMAT}")
            return Evaluation(
                content["kind"], content["set"], content["side"], dict(content["model"]), content
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path.name}: is no evaluation record ({error}).") from error

    def figure(self, who: str, name: str) -> Figure:
        """A figure with its interval; all None where the record has none."""
        found = self.content.get("figures", {}).get(who, {}).get(name) or {}
        return Figure(found.get("value"), found.get("low"), found.get("high"))


@dataclass(frozen=True)
class Figure:
    """A value with its 95% interval; None = no value."""

    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.value is None:
            return "n/a"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def read_evaluations(model: Path) -> dict[str, Evaluation]:
    """All records in a model's folder by set; empty where there are none."""
    folder = model / EVALUATION_FOLDER
    records = [Evaluation.read(p) for p in sorted(folder.glob("*.json"))]
    return {record.set: record for record in records}
