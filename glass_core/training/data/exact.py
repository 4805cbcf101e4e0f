"""Exact values: what a model predicts of substitutions when it is given each mutant.

The estimate head learns them from the wild type alone (`glass_core.training.estimate`). Written
as Parquet pieces of some chains each; a piece that is there is not made again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.errors import InputError
from glass_core.models.predictor import Predictor
from glass_core.progress import Rate, ignore
from glass_core.protein.change import Change
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.substitutions import no_substitution
from glass_core.protein.variant import Variant
from glass_core.records import require
from glass_core.training.data.splits import Split

EXACT_COLUMNS = ("id", "sequence", "group", "side", "index", "letter", "whole", "tm", "lddt")
"""One row per substitution: 0-based position, mutant letter (index into `STANDARD`), whether all
19 of its site are there, predicted TM-score and predicted lDDT at the site."""
LENGTHS = (40, 500)
"""Residues of the chains that are drawn."""
SAME = 1e-3
"""How far two predictions of one substitution by one model may lie apart."""
PLAN_FILE, PIECES = "plan.json", "pieces"
_CHECKED = 4


@dataclass(frozen=True)
class ExactPlan:
    """What is to be predicted; a folder belongs to one plan.

    Attributes
    ----------
    train, validation, test : int
        Chains of each side, no two of one split group.
    scattered : int
        Random substitutions of a training chain.
    held_sites, held_scattered : int
        Whole sites, of 19 substitutions each, and random substitutions of other chains.
    chunk : int
        Chains per piece.
    seed : int
    """

    train: int = 1000
    validation: int = 40
    test: int = 100
    scattered: int = 32
    held_sites: int = 4
    held_scattered: int = 84
    chunk: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test", "held_sites"):
            require(getattr(self, name) >= 0, name, "is not negative")
        for name in ("scattered", "held_scattered", "chunk"):
            require(getattr(self, name) > 0, name, "is positive")

    def chains(self, chains: pd.DataFrame) -> pd.DataFrame:
        """Those drawn of `chains`, with columns as `chains.CHAIN_COLUMNS`, in random order."""
        length = chains["sequence"].str.len()
        fit = chains[length.between(*LENGTHS)]
        mixed = fit.sample(frac=1, random_state=self.seed).drop_duplicates("group")
        sides: tuple[tuple[Split, int], ...] = (
            ("validation", self.validation),
            ("train", self.train),
            ("test", self.test),
        )
        drawn = [mixed[mixed["side"] == side].head(count) for side, count in sides]
        return pd.concat(drawn, ignore_index=True)


@dataclass(frozen=True, eq=False)
class ExactValues:
    """Substitutions of one chain with their exact values.

    Attributes
    ----------
    sequence, group, side : str
    index, letter : ndarray, shape=(n,), dtype=int
        0-based position; mutant letter, index into `STANDARD`.
    whole : ndarray, shape=(n,), dtype=bool
        Where all 19 substitutions of the site are there.
    tm, lddt : ndarray, shape=(n,), dtype=float
        Predicted TM-score, and predicted lDDT at the site.
    """

    sequence: str
    group: str
    side: str
    index: NDArray[np.int64]
    letter: NDArray[np.int64]
    whole: NDArray[np.bool_]
    tm: NDArray[np.float64]
    lddt: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.index)
        require(n > 0, "index", "is not empty")
        for name in ("letter", "whole", "tm", "lddt"):
            require(len(getattr(self, name)) == n, name, "has one entry per substitution")
        require(bool((self.index < len(self.sequence)).all()), "index", "lies in the sequence")


def draw_substitutions(
    sequence: str, sites: int, scattered: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """All substitutions of some sites, and random ones elsewhere; fewer where there are fewer.

    Returns
    -------
    index, letter, whole : ndarray, shape=(n,)
        As in `ExactValues`.
    """
    possible = ~no_substitution(sequence)
    known = np.flatnonzero(possible.any(axis=1))
    chosen = rng.choice(known, min(sites, len(known)), replace=False)
    whole = np.zeros(possible.shape, dtype=bool)
    whole[chosen] = possible[chosen]
    others = np.argwhere(possible & ~whole)
    cells = np.concatenate([np.argwhere(whole), others[rng.permutation(len(others))[:scattered]]])
    return cells[:, 0], cells[:, 1], whole[cells[:, 0], cells[:, 1]]


def exact_values(
    predictor: Predictor, sequence: str, index: NDArray[np.int64], letter: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Predicted TM-score and predicted lDDT at the site of substitutions, shape=(n,) each."""
    variants = [
        Variant(sequence, (Change(int(i) + 1, sequence[i], STANDARD[k]),))
        for i, k in zip(index, letter, strict=True)
    ]
    made = predictor.predict(Protein.from_sequence(sequence), variants)
    tm = np.array([one.tm_score for one in made])
    return tm, np.array([one.lddt[i] for one, i in zip(made, index, strict=True)])


def write_exact(
    predictor: Predictor,
    chains: pd.DataFrame,
    out: Path,
    plan: ExactPlan,
    tell: Callable[[Rate], None] = ignore,
) -> Path:
    """Predict substitutions of some of `chains` into ``OUT/pieces``.

    Returns
    -------
    Path
        Folder of the pieces.

    Raises
    ------
    InputError
        The folder holds values of another plan, of other chains or of another model.
    """
    drawn, pieces = plan.chains(chains), out / PIECES
    pieces.mkdir(parents=True, exist_ok=True)
    _claim(out, plan, drawn)
    starts = range(0, len(drawn), plan.chunk)
    paths = [pieces / f"{start // plan.chunk:05d}.parquet" for start in starts]
    kept = [path for path in paths if path.is_file()]
    if kept:
        check_model(predictor, list(_by_chain(pd.read_parquet(kept[0])))[:1])
    began, made = time.monotonic(), 0
    for start, path in zip(starts, paths, strict=True):
        if path.is_file():
            continue
        rows = [
            _predicted(predictor, chain, plan, start + k)
            for k, chain in enumerate(drawn.iloc[start : start + plan.chunk].itertuples())
        ]
        partial = path.with_suffix(".partial")
        pd.concat(rows, ignore_index=True).to_parquet(partial)
        partial.replace(path)
        made += 1
        rate = made / (time.monotonic() - began)
        tell(Rate(len(kept) + made, len(paths), rate, "exact values"))
    return pieces


def read_exact(folder: Path, *sides: Split) -> list[ExactValues]:
    """The chains of some sides in what `write_exact` wrote.

    Raises
    ------
    InputError
        There is nothing of these sides.
    """
    paths = sorted((folder / PIECES).glob("*.parquet"))
    tables = [pd.read_parquet(path, columns=list(EXACT_COLUMNS)) for path in paths]
    found = [chain for table in tables for chain in _by_chain(table) if chain.side in sides]
    if not found:
        raise InputError(
            f"{folder}: holds no exact values of the {' or '.join(sides)} side; make them with "
            "the step exact of train."
        )
    return found


def check_model(predictor: Predictor, chains: list[ExactValues]) -> None:
    """Raise `InputError` where `predictor` is not the model that gave the values of `chains`."""
    for chain in chains:
        some = slice(_CHECKED)
        tm, lddt = exact_values(predictor, chain.sequence, chain.index[some], chain.letter[some])
        away = max(np.abs(tm - chain.tm[some]).max(), np.abs(lddt - chain.lddt[some]).max())
        if not away <= SAME:
            raise InputError(
                f"exact values: are not of {predictor.info.name} as it is now (off by {away:.3f}); "
                "make them anew, in an empty folder."
            )


def _predicted(predictor: Predictor, chain: object, plan: ExactPlan, number: int) -> pd.DataFrame:
    """Rows as `EXACT_COLUMNS` of the drawn chain `number`."""
    row = {name: getattr(chain, name) for name in ("id", "sequence", "group", "side")}
    trains = row["side"] == "train"
    sites, scattered = (0, plan.scattered) if trains else (plan.held_sites, plan.held_scattered)
    rng = np.random.default_rng([plan.seed, number])
    index, letter, whole = draw_substitutions(row["sequence"], sites, scattered, rng)
    tm, lddt = exact_values(predictor, row["sequence"], index, letter)
    values = {"index": index, "letter": letter, "whole": whole, "tm": tm, "lddt": lddt}
    return pd.DataFrame(row | values, columns=list(EXACT_COLUMNS))


def _by_chain(table: pd.DataFrame) -> Iterator[ExactValues]:
    for _, rows in table.groupby("id", sort=False):
        first = rows.iloc[0]
        yield ExactValues(
            first["sequence"],
            first["group"],
            first["side"],
            *(rows[name].to_numpy() for name in ("index", "letter", "whole", "tm", "lddt")),
        )


def _claim(out: Path, plan: ExactPlan, drawn: pd.DataFrame) -> None:
    digest = hashlib.sha256()
    digest.update(pd.util.hash_pandas_object(drawn[["id", "sequence"]], index=False).to_numpy())
    content = {"plan": asdict(plan), "chains": digest.hexdigest()}
    path = out / PLAN_FILE
    if not path.is_file():
        path.write_text(json.dumps(content))
    elif json.loads(path.read_text()) != content:
        raise InputError(
            f"{out}: holds values of another plan or other chains; give an empty folder."
        )
