"""What other people's models say of each substitution, named as theirs.

Such scores are shown beside ours with their source, version and licence. Nothing of ours is
computed from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.sequence import STANDARD, check_residues
from glass_core.protein.substitutions import ascending, percentile, substitution_places
from glass_core.protein.variant import Variant
from glass_core.records import frozen_array, packed, require, unpacked

UNCLASSED = -1
"""In `ExternalScores.classes`: no class."""
_DECIMALS = 6
"""Of a score that is told; what is kept has about seven digits."""
_SCORE, _CLASS = np.dtype("<f4"), np.dtype("int8")


@dataclass(frozen=True, eq=False)
class ExternalScores:
    """Scores of single substitutions of one sequence by a model that is not ours.

    Attributes
    ----------
    kind : str
        Begins the names of what is `told`: small letters, digits and underscores.
    name : str
        Such as ``AlphaMissense``.
    source : str
        Where they are from: a database and its entry, or a repository of weights.
    version : str
        A release, revision or the start of a SHA-256, as far as the source tells.
    licence, citation : str
    scale : str
        What the numbers are, such as ``pathogenicity, 0 to 1``.
    higher_is_damaging : bool
        Whether higher or lower scores mean more damage.
    sequence : str
        Its positions are the rows of `score`.
    score : ndarray, shape=(L, 20), dtype=float32
        Letters in the order of `STANDARD`; NaN where there is none, as for the own letter.
    retrieved : str
        UTC, ISO 8601, when they were fetched or computed; '' where unknown.
    additive : bool
        Whether scores of several substitutions may be summed.
    class_names : tuple of str
        What the model's authors call their classes; empty where they have none.
    classes : ndarray, shape=(L, 20), dtype=int8, or None
        Index into `class_names`, `UNCLASSED` where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from glass_core import Variant
    >>> from glass_core.protein.external import ExternalScores
    >>> table = np.full((2, 20), np.nan)
    >>> table[0, :3] = 0.5, 0.25, 1.0  # M1A, M1C, M1D
    >>> scores = ExternalScores(
    ...     "judge", "Judge", "a file", "1", "CC BY 4.0", "", "0 to 1", True, "MK", table
    ... )
    >>> scores.told(Variant.parse("M1A", "MK"))
    {'judge': 0.5, 'judge_percentile': 33.333333}
    """

    kind: str
    name: str
    source: str
    version: str
    licence: str
    citation: str
    scale: str
    higher_is_damaging: bool
    sequence: str
    score: NDArray[np.float32]
    retrieved: str = ""
    additive: bool = False
    class_names: tuple[str, ...] = ()
    classes: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        require(
            bool(re.fullmatch(r"[a-z][a-z0-9_]*", self.kind)), "kind", "is a word in small letters"
        )
        for field in ("name", "source", "licence", "scale"):
            require(bool(getattr(self, field)), field, "is given")
        check_residues(self.sequence, "sequence")
        shape = (len(self.sequence), len(STANDARD))
        score = frozen_array(self.score, shape, "score", _SCORE)
        require(not np.isinf(score).any(), "score", "is finite or NaN")
        own = np.array([[letter == other for other in STANDARD] for letter in self.sequence])
        require(bool(np.isnan(score[own]).all()), "score", "is NaN for a position's own letter")
        object.__setattr__(self, "score", score)
        if self.classes is not None:
            classes = frozen_array(self.classes, shape, "classes", _CLASS)
            require(
                bool(((classes >= UNCLASSED) & (classes < len(self.class_names))).all()),
                "classes",
                "points into class_names",
            )
            object.__setattr__(self, "classes", classes)

    @property
    def stamp(self) -> str:
        """Name, source, version and licence, for tables."""
        version = f", {self.version}" if self.version else ""
        return f"{self.name}: {self.source}{version}; {self.licence}"

    @property
    def credit(self) -> str:
        """Whose numbers they are, in one line."""
        date = f"retrieved {self.retrieved[:10]}" if self.retrieved else ""
        return "; ".join(filter(None, (self.stamp, self.citation, date)))

    def told(self, variant: Variant) -> dict[str, float]:
        """What it says of `variant`; nothing of another wild type, gaps or without a score.

        Of several substitutions there is a sum where scores are additive, else nothing.

        Returns
        -------
        dict of str to float
            `kind`: the score. Of one substitution also ``{kind}_percentile``, 0 to 100: the
            share of all substitutions with a score that it calls less damaging.
        """
        places = self._places(variant)
        if not places or (len(places) > 1 and not self.additive):
            return {}
        values = [float(self.score[place]) for place in places]
        told = {self.kind: sum(values)}
        if len(values) == 1:
            told[f"{self.kind}_percentile"] = percentile(self._damage(values[0]), self._ascending)
        return {name: round(value, _DECIMALS) for name, value in told.items()}

    def class_of(self, variant: Variant) -> str:
        """What the authors class one substitution as; '' where they do not."""
        places = self._places(variant)
        if self.classes is None or len(places) != 1:
            return ""
        number = int(self.classes[places[0]])
        return "" if number == UNCLASSED else self.class_names[number]

    def placed(self, sequence: str, index: NDArray[np.int64]) -> ExternalScores:
        """The same scores at the positions of another sequence of the protein.

        Parameters
        ----------
        sequence : str
        index : ndarray, shape=(len(sequence),), dtype=int
            0-based position here of each position there; any other number where there is
            none. Positions with another residue than here have no scores.
        """
        rows = np.array(
            [
                row if 0 <= row < len(self.sequence) and self.sequence[row] == letter else -1
                for letter, row in zip(sequence, index, strict=True)
            ]
        )
        lacking = (rows < 0)[:, None]
        classes = self.classes
        return replace(
            self,
            sequence=sequence,
            score=np.where(lacking, np.nan, self.score[rows]),
            classes=None if classes is None else np.where(lacking, UNCLASSED, classes[rows]),
        )

    def _places(self, variant: Variant) -> list[tuple[int, int]]:
        return substitution_places(variant, self.score, self.sequence)

    def _damage(self, values: Any) -> Any:
        """Scores, turned where it takes that for higher to mean more damage."""
        return values if self.higher_is_damaging else -values

    @cached_property
    def _ascending(self) -> NDArray[np.floating]:
        return ascending(self._damage(self.score))


def external_dict(scores: ExternalScores) -> dict[str, Any]:
    """Plain values; tables as their bytes, compressed and in base 64."""
    values = {field.name: getattr(scores, field.name) for field in fields(scores)}
    return values | {
        "score": packed(scores.score),
        "class_names": list(scores.class_names),
        "classes": None if scores.classes is None else packed(scores.classes),
    }


def external_from(content: Mapping[str, Any]) -> ExternalScores:
    """Inverse of `external_dict`."""
    shape = (len(content["sequence"]), len(STANDARD))
    classes = content["classes"]
    return ExternalScores(
        **{
            **content,
            "score": unpacked(content["score"], shape, "score", _SCORE),
            "class_names": tuple(content["class_names"]),
            "classes": None if classes is None else unpacked(classes, shape, "classes", _CLASS),
        }
    )
