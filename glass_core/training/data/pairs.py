"""Labelled pairs of structures, built on all cores or a cluster, resumable, as Parquet shards."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glass_core.compute import Runner
from glass_core.errors import InputError
from glass_core.metrics.distances import place_on_reference
from glass_core.metrics.lddt import lddt
from glass_core.metrics.tmalign import tm_align
from glass_core.progress import Rate, ignore
from glass_core.records import require
from glass_core.training.data.candidates import Candidates, tm_bin
from glass_core.training.data.splits import largest_name, split_of_name

PAIR_COLUMNS = (
    "reference_id",
    "subject_id",
    "reference",
    "subject",
    "kind",
    "pool",
    "group",
    "subject_group",
    "side",
    "rearranged",
    "tm",
    "aligned",
    "lddt",
)
"""`group` is that of the reference, `subject_group` that of the subject; `aligned` holds
flat index pairs (reference, subject), `lddt` one value per aligned pair, NaN without a
neighbour."""
REARRANGED_RMSD = 10.0
"""Å; near-identical pairs further apart are rearrangements, reported apart."""
LEAST_GAIN = 0.08
"""Share of a round that must reach bins which are not full, or no further round is drawn."""
PLAN_FILE, SHARDS = "plan.json", "shards"
SIDES = ("train", "validation", "test")

Chunk = list[dict[str, Any]]


@dataclass(frozen=True)
class PairPlan:
    """What is to be built; a folder belongs to one plan.

    Attributes
    ----------
    per_bin : int
        Fold pairs wanted in every TM-score bin of the training side; validation and
        test get theirs in proportion to their chains.
    cap : int
        Most fold pairs that one group may take part in.
    chunk, chunks_per_round : int
        Pairs per shard; shards per round of drawing.
    rounds : int
        Most rounds per side.
    seed : int
    """

    per_bin: int = 3000
    cap: int = 200
    chunk: int = 64
    chunks_per_round: int = 16
    rounds: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("cap", "chunk", "chunks_per_round", "rounds"):
            require(getattr(self, name) > 0, name, "is positive")


def label_pair(
    reference_ca: NDArray[np.floating],
    subject_ca: NDArray[np.floating],
    reference: str,
    subject: str,
    facing: bool = False,
) -> dict[str, Any]:
    """TM-score normalised by the reference, and lDDT of its aligned residues.

    Parameters
    ----------
    reference_ca, subject_ca : ndarray, shape=(L, 3), in Å
    reference, subject : str
        Residue letters.
    facing : bool
        Residue i faces residue i: no alignment is searched for.

    Returns
    -------
    dict
        ``tm``, ``aligned`` (flat index pairs reference, subject) and ``lddt``
        (one number per aligned pair, NaN without a neighbour).
    """
    rows = (reference, subject) if facing else None
    alignment = tm_align(reference_ca, subject_ca, reference, subject, rows)
    placed = place_on_reference(subject_ca, alignment.pairs, len(reference))
    kept = lddt(np.where(np.isnan(placed), np.nan, reference_ca), placed)
    return {
        "tm": alignment.tm_score,
        "aligned": alignment.pairs.astype(np.int16).ravel(),
        "lddt": kept[alignment.pairs[:, 0]].astype(np.float32),
    }


def label_chunk(chunk: Chunk) -> Chunk:
    """Label every pair of a chunk; coordinates come with it and do not go back."""
    labelled = []
    for pair in chunk:
        rest = {k: v for k, v in pair.items() if k not in ("reference_ca", "subject_ca")}
        labelled.append(
            rest
            | label_pair(
                pair["reference_ca"],
                pair["subject_ca"],
                pair["reference"],
                pair["subject"],
                facing=pair["pool"] == "given",
            )
        )
    return labelled


def build_pairs(
    chains: pd.DataFrame,
    out: Path,
    plan: PairPlan,
    run: Runner,
    *,
    given: pd.DataFrame | None = None,
    listed: pd.DataFrame | None = None,
    tell: Callable[[Rate], None] = ignore,
) -> Path:
    """Build shards in ``OUT/shards``; shards already there are kept, not built again.

    Parameters
    ----------
    chains : DataFrame
        As `chains.CHAIN_COLUMNS`.
    out : Path
    plan : PairPlan
    run : callable
        See `compute.Runner`.
    given : DataFrame, optional
        Pairs with coordinates of their own, residue i facing residue i: see `facing_pairs`.
    listed : DataFrame, optional
        ``reference_id``, ``subject_id``: pairs to label in place of drawn ones.
    tell : callable
        Called with how many shards of a stage are done.

    Returns
    -------
    Path
        Folder of the shards.

    Raises
    ------
    InputError
        The folder holds pairs of another plan or of other chains.
    """
    shards = out / SHARDS
    shards.mkdir(parents=True, exist_ok=True)
    _claim(out, plan, chains, given, listed)
    if given is not None:
        chunks = _chunks(list(facing_pairs(given)), plan.chunk)
        _build("given pairs", chunks, shards, "given", run, tell)
    if listed is not None:
        chunks = _chunks(list(_listed_pairs(chains, listed)), plan.chunk)
        _build("listed pairs", chunks, shards, "listed", run, tell)
        return shards
    train = int((chains["side"] == "train").sum())
    for side in SIDES:
        members = chains[chains["side"] == side].reset_index(drop=True)
        share = min(len(members) / max(train, 1), 1.0)
        if len(members) > 1 and plan.per_bin:
            per_bin = max(round(plan.per_bin * share), 1)
            _fold_side(members, side, per_bin, plan, shards, run, tell)
    return shards


def _fold_side(
    chains: pd.DataFrame,
    side: str,
    per_bin: int,
    plan: PairPlan,
    shards: Path,
    run: Runner,
    tell: Callable[[Rate], None],
) -> None:
    candidates = Candidates(chains, plan.cap)
    place = {name: row for row, name in enumerate(chains["id"])}
    seen = pd.DataFrame(columns=["first", "second", "pool", "tm"])
    for number in range(plan.rounds):
        rng = np.random.default_rng([plan.seed, SIDES.index(side), number])
        drawn = candidates.draw(plan.chunk * plan.chunks_per_round, seen, per_bin, rng)
        if drawn.empty:
            return
        pairs = [
            _pair(chains.iloc[row.first], chains.iloc[row.second], str(row.pool))
            for row in drawn.itertuples()
        ]
        name = f"{side}-{number:03d}"
        _build(f"{side}, round {number + 1}", _chunks(pairs, plan.chunk), shards, name, run, tell)
        made = read_shards(
            shards, f"{name}-*.parquet", ["reference_id", "subject_id", "pool", "tm"]
        )
        made = made.assign(
            first=made["reference_id"].map(place), second=made["subject_id"].map(place)
        )
        if not _still_filling(seen, made, per_bin):
            return
        seen = made if seen.empty else pd.concat([seen, made], ignore_index=True)


def _still_filling(seen: pd.DataFrame, made: pd.DataFrame, per_bin: int) -> bool:
    """Whether the last round gave the bins that were not full a share worth another round."""
    held = Counter(tm_bin(tm) for tm in seen["tm"])
    gained = [b for tm in made["tm"] if (b := tm_bin(tm)) is not None and held[b] < per_bin]
    return len(gained) >= LEAST_GAIN * len(made)


def _pair(reference: pd.Series, subject: pd.Series, pool: str) -> dict[str, Any]:
    return {
        "reference_id": reference["id"],
        "subject_id": subject["id"],
        "reference": reference["sequence"],
        "subject": subject["sequence"],
        "reference_ca": reference["ca"],
        "subject_ca": subject["ca"],
        "kind": "fold",
        "pool": pool,
        "group": reference["group"],
        "subject_group": subject["group"],
        "side": reference["side"],
        "rearranged": False,
    }


def facing_pairs(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Pairs of (almost) the same sequence, as chunks hold them.

    `table` has ``id_a``, ``id_b``, ``sequence_a``, ``sequence_b`` (of equal length),
    ``ca_a``, ``ca_b`` (flat, Å), ``kind``, ``split_group`` and ``ca_rmsd``.
    """
    for row in table.itertuples():
        yield {
            "reference_id": row.id_a,
            "subject_id": row.id_b,
            "reference": row.sequence_a,
            "subject": row.sequence_b,
            "reference_ca": np.asarray(row.ca_a, dtype=float).reshape(-1, 3),
            "subject_ca": np.asarray(row.ca_b, dtype=float).reshape(-1, 3),
            "kind": row.kind,
            "pool": "given",
            "group": str(row.split_group),
            "subject_group": str(row.split_group),
            "side": row.side,
            "rearranged": bool(row.ca_rmsd > REARRANGED_RMSD),
        }


def with_sides(given: pd.DataFrame, chains: pd.DataFrame) -> pd.DataFrame:
    """`given` with the side of its ``split_group`` by the groups of `chains`."""
    biggest = largest_name(chains["group"])
    return given.assign(side=[split_of_name(str(g), biggest) for g in given["split_group"]])


def read_listed(path: Path) -> pd.DataFrame:
    """The layout of TM-Vec's training tables: two chain ids and a TM-score, with a header.

    The TM-scores are measured anew. Comma, tab or Parquet by the file's suffix.
    """
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
    else:
        table = pd.read_csv(path, sep="\t" if path.suffix in (".tsv", ".txt") else ",")
    if table.shape[1] < 2:
        raise InputError(f"{path.name}: needs two columns of chain ids and a TM-score.")
    return pd.DataFrame(
        {"reference_id": table.iloc[:, 0].astype(str), "subject_id": table.iloc[:, 1].astype(str)}
    )


def _listed_pairs(chains: pd.DataFrame, listed: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Listed pairs whose chains are known and lie on one side."""
    place = {name: row for row, name in enumerate(chains["id"])}
    missing = [i for i in {*listed["reference_id"], *listed["subject_id"]} if i not in place]
    if len(missing) == len({*listed["reference_id"], *listed["subject_id"]}):
        raise InputError(f"listed pairs: no chain is known, such as {sorted(missing)[0]}.")
    for row in listed.itertuples():
        if row.reference_id in place and row.subject_id in place:
            first, second = (chains.iloc[place[i]] for i in (row.reference_id, row.subject_id))
            if first["side"] == second["side"]:
                yield _pair(first, second, "listed")


def _chunks(pairs: list[dict[str, Any]], size: int) -> list[Chunk]:
    return [pairs[i : i + size] for i in range(0, len(pairs), size)]


def _build(
    stage: str,
    chunks: Sequence[Chunk],
    shards: Path,
    name: str,
    run: Runner,
    tell: Callable[[Rate], None],
) -> None:
    """Label the chunks whose shard is not there yet."""
    paths = [shards / f"{name}-{number:05d}.parquet" for number in range(len(chunks))]
    todo = [number for number, path in enumerate(paths) if not path.is_file()]
    kept, began = len(chunks) - len(todo), time.monotonic()
    tell(Rate(kept, len(chunks), 0.0, stage))
    labelling = run(label_chunk, [chunks[number] for number in todo])
    for new, (place, labelled) in enumerate(labelling, start=1):
        table = pd.DataFrame(labelled, columns=list(PAIR_COLUMNS))
        partial = paths[todo[place]].with_suffix(".partial")
        table.to_parquet(partial)
        partial.replace(paths[todo[place]])
        tell(Rate(kept + new, len(chunks), new / (time.monotonic() - began), stage))


def read_shards(
    shards: Path, pattern: str = "*.parquet", columns: list[str] | None = None
) -> pd.DataFrame:
    """All pairs of the shards that match, in the order of their names."""
    paths = sorted(shards.glob(pattern))
    if not paths:
        raise InputError(f"{shards}: holds no pairs; build them first.")
    return pd.concat([pd.read_parquet(p, columns=columns) for p in paths], ignore_index=True)


def _claim(
    out: Path,
    plan: PairPlan,
    chains: pd.DataFrame,
    given: pd.DataFrame | None,
    listed: pd.DataFrame | None,
) -> None:
    digest = hashlib.sha256()
    for table, columns in (
        (chains, ["id", "sequence", "group"]),
        (given, ["id_a", "id_b"]),
        (listed, ["reference_id", "subject_id"]),
    ):
        if table is not None:
            digest.update(pd.util.hash_pandas_object(table[columns], index=False).to_numpy().data)
    content = {"plan": asdict(plan), "input": digest.hexdigest()}
    path = out / PLAN_FILE
    if not path.is_file():
        path.write_text(json.dumps(content))
    elif json.loads(path.read_text()) != content:
        raise InputError(
            f"{out}: holds pairs of another plan or other chains; give an empty folder."
        )
