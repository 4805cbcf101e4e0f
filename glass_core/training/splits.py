"""Which proteins train, validate and test, and which sequences would leak.

A split group (chains joined at 40% identity over half of the shorter one, see
the structure set's notes) goes as a whole to one side, by the last hex digit
of the MD5 of its number; the largest group always trains. Sequences for
pre-training that resemble a validation or test chain are left out by MMseqs2
(Steinegger & Söding, Nat. Biotechnol. 35, 1026 (2017)).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import pandas as pd

from glass_core.errors import InputError, UnavailableError

Split = Literal["train", "validation", "test"]

MIN_IDENTITY = 0.4
MIN_COVERAGE = 0.5
"""Of the shorter sequence."""
MIN_SHARED_RESIDUES = 50
"""An alignment this long counts whatever share of the sequence it is: a shared domain."""


def split_of(group: int, largest_group: int) -> Split:
    """The side on which `group` lies."""
    if group == largest_group:
        return "train"
    digit = hashlib.md5(str(group).encode(), usedforsecurity=False).hexdigest()[-1]
    return "test" if digit in "01" else "validation" if digit == "2" else "train"


def largest(groups: Iterable[int]) -> int:
    """The group with most members (the smaller number on a tie)."""
    counts = Counter(int(g) for g in groups)
    if not counts:
        raise InputError("No split group was given, so there is no largest one.")
    return min(counts, key=lambda g: (-counts[g], g))


def split_lists(groups: Sequence[int]) -> dict[str, Any]:
    """The lists that are committed: groups of each held-out side, with counts of chains."""
    biggest = largest(groups)
    sides = {int(g): split_of(int(g), biggest) for g in groups}
    return {
        "rule": "last hex digit of md5(str(split_group)): 0 or 1 test, 2 validation, else train; "
        "the largest group trains",
        "largest_group": biggest,
        "chains": dict(Counter(sides[int(g)] for g in groups)),
        "groups": dict(Counter(sides.values())),
        "test": sorted(g for g, side in sides.items() if side == "test"),
        "validation": sorted(g for g, side in sides.items() if side == "validation"),
    }


def is_leak(identity: float, aligned: int, length_a: int, length_b: int) -> bool:
    """Whether an alignment makes one of the two sequences unfit for training."""
    needed = min(MIN_COVERAGE * min(length_a, length_b), MIN_SHARED_RESIDUES)
    return identity >= MIN_IDENTITY and aligned >= needed


def leaking_sequences(
    held_out: Sequence[str], candidates: Sequence[str], work: Path, threads: int = 2
) -> set[int]:
    """Indices of `candidates` that resemble a held-out sequence.

    Parameters
    ----------
    held_out, candidates : sequence of str
        Residue letters.
    work : Path
        Folder for MMseqs2's own files.
    threads : int

    Raises
    ------
    UnavailableError
        MMseqs2 is not installed.
    """
    if shutil.which("mmseqs") is None:
        raise UnavailableError("MMseqs2 is missing; install the package `mmseqs2`.")
    exact = set(held_out)
    leaks = {i for i, s in enumerate(candidates) if s in exact}
    work.mkdir(parents=True, exist_ok=True)
    query, target, hits = work / "held_out.fasta", work / "candidates.fasta", work / "hits.tsv"
    _write_fasta(query, held_out)
    _write_fasta(target, candidates)
    subprocess.run(
        ["mmseqs", "easy-search", str(query), str(target), str(hits), str(work / "tmp"),
         "-s", "6", "-e", "0.1", "--max-seqs", "20000", "--alignment-mode", "3",
         "--min-seq-id", str(MIN_IDENTITY), "--threads", str(threads), "-v", "1",
         "--format-output", "query,target,fident,alnlen,qlen,tlen"],
        check=True,
    )  # fmt: skip
    for line in hits.read_text().splitlines():
        _, index, identity, aligned, length_a, length_b = line.split("\t")
        if is_leak(float(identity), int(aligned), int(length_a), int(length_b)):
            leaks.add(int(index))
    return leaks


def _write_fasta(path: Path, sequences: Sequence[str]) -> None:
    path.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences)))


def held_out_sequences(data: Path) -> list[str]:
    """Sequences of all validation and test chains, those of the mutant pairs included."""
    chains = pd.read_parquet(
        data / "structures/chains.parquet", columns=["sequence", "split_group"]
    )
    pairs = pd.read_parquet(
        data / "structures/pairs.parquet", columns=["sequence_a", "sequence_b", "split_group"]
    )
    biggest = largest(chains["split_group"])
    found: set[str] = set()
    for table, columns in ((chains, ["sequence"]), (pairs, ["sequence_a", "sequence_b"])):
        sides = table["split_group"].map(lambda g: split_of(int(g), biggest))
        for column in columns:
            found.update(table.loc[sides != "train", column])
    return sorted(found)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="split.json")
def main(data: Path, work: Path, out: Path) -> None:
    """Write the split lists, and the pre-training and labelled sequences that are fit to use."""
    work.mkdir(parents=True, exist_ok=True)
    chains = pd.read_parquet(data / "structures/chains.parquet", columns=["split_group"])
    lists = split_lists([int(g) for g in chains["split_group"]])
    sequences = pd.read_parquet(
        data / "sequences/sequences.parquet", columns=["sequence", "cluster"]
    )
    labelled = pd.read_parquet(
        data / "residue_labels/secondary_structure.parquet",
        columns=["sequence", "label", "resolved", "set"],
    )
    candidates = [*sequences["sequence"], *labelled["sequence"]]
    leaks = leaking_sequences(held_out_sequences(data), candidates, work / "mmseqs")
    fit = pd.Series([i not in leaks for i in range(len(candidates))])
    kept = sequences[fit[: len(sequences)].to_numpy()]
    kept_labelled = labelled[fit[len(sequences) :].to_numpy()]
    kept.to_parquet(work / "sequences.parquet")
    kept_labelled.to_parquet(work / "labelled.parquet")
    lists["left_out"] = {
        "sequences": int(len(sequences) - len(kept)),
        "labelled": int(len(labelled) - len(kept_labelled)),
    }
    lists["kept"] = {"sequences": len(kept), "labelled": len(kept_labelled)}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(lists, separators=(",", ":")) + "\n")
    click.echo(json.dumps({k: lists[k] for k in ("chains", "groups", "left_out", "kept")}))


if __name__ == "__main__":
    main()
