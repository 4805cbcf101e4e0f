"""Measured variant effects and clinical labels, as one record per protein and assay."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glass_core.protein.sequence import STANDARD
from glass_core.records import require
from glass_core.training.data.tables import read_columns

EffectKind = Literal["stability", "scan", "ddg", "clinical"]
EFFECT_COLUMNS = ("assay", "kind", "sequence", "mutant", "value", "group", "side")
"""One row per variant; `value` is higher for more damaging, 0 or 1 for clinical labels."""
MIN_VARIANTS = 10
"""An assay with fewer single substitutions says nothing about ranks."""
_SINGLE = re.compile(r"[A-Z](\d+)([A-Z])")
_MEGA_SCALE = "Tsuboyama"


@dataclass(frozen=True, eq=False)
class Assay:
    """Single substitutions of one wild type with a value each.

    Attributes
    ----------
    name : str
    kind : {"stability", "scan", "ddg", "clinical"}
        Mega-scale stability, other deep mutational scan, classical stability
        measurements, clinical labels.
    sequence : str
        Wild type.
    index : ndarray, shape=(n,), dtype=int
        0-based position.
    letter : ndarray, shape=(n,), dtype=int
        Mutant letter, index into `STANDARD`.
    value : ndarray, shape=(n,), dtype=float
        Higher = more damaging; 0 or 1 for clinical labels.
    group, side : str
        Of the protein, see `splits.protein_groups`.
    start, whole : int, str
        Of a window: where it begins in the whole wild type.
    """

    name: str
    kind: EffectKind
    sequence: str
    index: NDArray[np.int64]
    letter: NDArray[np.int64]
    value: NDArray[np.float32]
    group: str
    side: str
    start: int = 0
    whole: str = ""

    def __post_init__(self) -> None:
        require(
            len(self.index) == len(self.letter) == len(self.value) > 0,
            "value",
            "has one entry per variant",
        )
        if not self.whole:
            object.__setattr__(self, "whole", self.sequence)
        require(bool((self.index < len(self.sequence)).all()), "index", "lies in the sequence")
        require(bool(np.isfinite(self.value).all()), "value", "is finite")

    def window(self, start: int, length: int) -> Assay:
        """The part of the assay within residues `start` to `start + length`."""
        inside = (self.index >= start) & (self.index < start + length)
        return Assay(
            self.name,
            self.kind,
            self.sequence[start : start + length],
            self.index[inside] - start,
            self.letter[inside],
            self.value[inside],
            self.group,
            self.side,
            self.start + start,
            self.whole,
        )

    def ranked(self) -> NDArray[np.float32]:
        """Values replaced by their ranks, from -1 to 1."""
        return (2 * (rankdata(self.value) - 0.5) / len(self.value) - 1).astype(np.float32)


def parse_singles(mutants: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """0-based positions and letter indices of ``A123V``; -1, -1 for anything else."""
    index, letter = np.full(len(mutants), -1), np.full(len(mutants), -1)
    for row, mutant in enumerate(mutants):
        match = _SINGLE.fullmatch(mutant)
        if match and match[2] in STANDARD:
            index[row], letter[row] = int(match[1]) - 1, STANDARD.index(match[2])
    return index, letter


def effect_table(data: Path, proteins: pd.DataFrame) -> pd.DataFrame:
    """Single substitutions of the shared variant data, as `EFFECT_COLUMNS`.

    Parameters
    ----------
    data : Path
        Folder with ``variants/``.
    proteins : DataFrame
        ``sequence``, ``group``, ``side`` of every wild type.
    """
    folder = data / "variants"
    dms = pd.read_parquet(
        folder / "dms.parquet", columns=["assay", "wt_sequence", "mutant", "n_mut", "score"]
    )
    dms = dms[dms["n_mut"] == 1].assign(value=lambda t: -t["score"])
    mega = dms["assay"].str.startswith(_MEGA_SCALE)
    ddg = pd.read_parquet(
        folder / "ddg.parquet", columns=["wt_sequence", "mutant", "n_mut", "ddg"]
    ).rename(columns={"ddg": "value"})
    ddg = ddg[(ddg["n_mut"] == 1) & ~ddg["wt_sequence"].isin(set(dms.loc[mega, "wt_sequence"]))]
    clinical = pd.read_parquet(
        folder / "clinical.parquet", columns=["protein", "wt_sequence", "mutant", "label", "kind"]
    )
    clinical = clinical[clinical["wt_sequence"].notna() & (clinical["kind"] == "clinical")].assign(
        value=lambda t: (t["label"] == "deleterious").astype(float)
    )
    table = pd.concat(
        [
            dms[mega].assign(kind="stability"),
            dms[~mega].assign(kind="scan"),
            ddg.assign(kind="ddg", assay="ddg " + ddg["wt_sequence"].map(short_name)),
            clinical.assign(kind="clinical", assay=clinical["protein"]),
        ],
        ignore_index=True,
    ).rename(columns={"wt_sequence": "sequence"})
    table = table[np.isfinite(table["value"])]
    place = proteins.set_index("sequence")
    for column in ("group", "side"):
        table[column] = table["sequence"].map(place[column])
    return table[list(EFFECT_COLUMNS)].reset_index(drop=True)


def short_name(sequence: str) -> str:
    """A short name for a sequence that has none."""
    return hashlib.md5(sequence.encode(), usedforsecurity=False).hexdigest()[:8]


def read_assays(path: Path, fewest: int = MIN_VARIANTS) -> list[Assay]:
    """Every assay of a Parquet table with the columns `EFFECT_COLUMNS`.

    Assays of under `fewest` single substitutions are left out, labels are not.

    Raises
    ------
    InputError
        It is no Parquet table, or a column is missing.
    """
    table, assays = read_columns(path, EFFECT_COLUMNS), []
    for (kind, name, sequence), rows in table.groupby(["kind", "assay", "sequence"], sort=True):
        index, letter = parse_singles(list(rows["mutant"]))
        fit = (index >= 0) & (index < len(sequence))
        if fit.sum() >= (1 if kind == "clinical" else fewest):
            assays.append(
                Assay(
                    str(name),
                    kind,
                    sequence,
                    index[fit],
                    letter[fit],
                    rows["value"].to_numpy(dtype=np.float32)[fit],
                    str(rows["group"].iloc[0]),
                    str(rows["side"].iloc[0]),
                )
            )
    return assays


class AssayDraw:
    """Assays drawn by kind; within a kind each protein group alike, clinical by labels."""

    def __init__(self, assays: Sequence[Assay], shares: dict[str, float]) -> None:
        shares = {k: v for k, v in shares.items() if any(a.kind == k for a in assays)}
        self.assays = [[a for a in assays if a.kind == kind] for kind in shares]
        self.share = np.array(list(shares.values())) / sum(shares.values())
        self.weight = []
        for kind, members in zip(shares, self.assays, strict=True):
            count = pd.Series([a.group for a in members]).map(
                pd.Series([a.group for a in members]).value_counts()
            )
            labels = np.sqrt([len(a.value) for a in members])
            weight = labels if kind == "clinical" else (1 / count).to_numpy()
            self.weight.append(weight / weight.sum())

    def draw(self, rng: np.random.Generator, longest: int) -> Assay:
        """One assay, cut to a window of `longest` residues around one of its variants."""
        while True:
            kind = int(rng.choice(len(self.share), p=self.share))
            assay = self.assays[kind][int(rng.choice(len(self.assays[kind]), p=self.weight[kind]))]
            extra = len(assay.sequence) - longest
            if extra > 0:
                centre = int(rng.choice(assay.index))
                low = max(centre - longest + 1, 0)
                start = int(rng.integers(low, min(centre, extra) + 1)) if low <= extra else extra
                assay = assay.window(start, longest)
            if assay.kind == "clinical" or (
                len(assay.value) >= MIN_VARIANTS and np.ptp(assay.value) > 0
            ):
                return assay


def write_assays(data: Path, work: Path) -> pd.DataFrame:
    """Write ``WORK/effects.parquet``, from ``WORK/proteins.parquet`` on; returns the table."""
    table = effect_table(data, pd.read_parquet(work / "proteins.parquet"))
    table.to_parquet(work / "effects.parquet")
    return table
