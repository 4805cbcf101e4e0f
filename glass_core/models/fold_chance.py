"""How often chains with a certain predicted score were found to share a fold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glass_core.errors import ModelError, RecordError, one_line
from glass_core.records import frozen_array, require

FOLD_CHANCE_FILE = "fold-chance.json"
FOLD_CHANCE_FORMAT = "glass-fold-chance/2"
SAME_FOLD_TM = 0.5
"""TM-score of TM-align, by the query's length, from which two chains are taken to share a fold
(Xu & Zhang, Bioinformatics 26, 889 (2010))."""


@dataclass(frozen=True, eq=False)
class FoldChance:
    """A line through counted shares.

    Attributes
    ----------
    scores, chances : ndarray, shape=(n,)
        Predicted scores, rising, and the share of pairs there whose TM-score is at least
        `SAME_FOLD_TM`, not falling. Below the first and above the last it stays the same.
    counted : mapping
        What was counted.
    """

    scores: NDArray[np.float64]
    chances: NDArray[np.float64]
    counted: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scores = frozen_array(self.scores, (None,), "scores")
        chances = frozen_array(self.chances, (len(scores),), "chances")
        require(len(scores) > 0 and bool((np.diff(scores) > 0).all()), "scores", "rises")
        rises = bool((np.diff(chances) >= 0).all())
        within = bool(((chances >= 0) & (chances <= 1)).all())
        require(rises and within, "chances", "does not fall and lies between 0 and 1")
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "chances", chances)

    def of(self, scores: ArrayLike) -> NDArray[np.float64]:
        """The chance at scores of any shape."""
        return np.interp(np.asarray(scores, float), self.scores, self.chances)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "scores": self.scores.round(4).tolist(),
            "chances": self.chances.round(4).tolist(),
            "counted": self.counted,
        }

    @staticmethod
    def from_dict(content: dict[str, Any]) -> FoldChance:
        """Read it back."""
        return FoldChance(content["scores"], content["chances"], dict(content["counted"]))


@dataclass(frozen=True, eq=False)
class FoldChances:
    """What was counted for a model.

    Attributes
    ----------
    tm_score : FoldChance
        By its predicted TM-score.
    alignment : FoldChance or None
        By the score of its alignments over the query's length.
    aligner : str
        What made these; '' for none. Nothing is known of other alignments.
    """

    tm_score: FoldChance
    alignment: FoldChance | None = None
    aligner: str = ""

    def write(self, folder: Path) -> None:
        """Into a model's folder."""
        content = {
            "format": FOLD_CHANCE_FORMAT,
            "tm_score": self.tm_score.to_dict(),
            "alignment": None if self.alignment is None else self.alignment.to_dict(),
            "aligner": self.aligner,
        }
        (folder / FOLD_CHANCE_FILE).write_text(json.dumps(content, indent=1) + "\n")

    @staticmethod
    def read(folder: Path) -> FoldChances | None:
        """Those of the model in a folder; None where it has none.

        Raises
        ------
        ModelError
            They cannot be used.
        """
        path = folder / FOLD_CHANCE_FILE
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FOLD_CHANCE_FORMAT:
                raise ValueError(f"format is not {FOLD_CHANCE_FORMAT}")
            aligned = content["alignment"]
            return FoldChances(
                FoldChance.from_dict(content["tm_score"]),
                None if aligned is None else FoldChance.from_dict(aligned),
                str(content["aligner"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RecordError) as error:
            raise ModelError(
                f"{folder.name}: {path.name} cannot be used ({one_line(error)})."
            ) from error
