"""Which sequences resemble which.

By MMseqs2 (Steinegger & Söding, Nat. Biotechnol. 35, 1026 (2017)), a program of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from glass_core.errors import UnavailableError

MIN_IDENTITY = 0.4

MIN_COVERAGE = 0.5
"""Of the shorter sequence."""

MIN_SHARED_RESIDUES = 50
"""An alignment this long counts whatever share of the sequence it is: a shared domain."""

MOST_HOMOLOGUES = 4_000
"""Of one sequence."""


def is_leak(identity: float, aligned: int, length_a: int, length_b: int) -> bool:
    """Whether an alignment makes one of the two sequences unfit for training."""
    needed = min(MIN_COVERAGE * min(length_a, length_b), MIN_SHARED_RESIDUES)
    return identity >= MIN_IDENTITY and aligned >= needed


def similar(
    queries: Sequence[str], targets: Sequence[str], work: Path, threads: int = 2
) -> Iterator[tuple[int, int]]:
    """Pairs (query, target) of indices whose alignment `is_leak`."""
    _require_mmseqs()
    work.mkdir(parents=True, exist_ok=True)
    query, target, hits = work / "queries.fasta", work / "targets.fasta", work / "hits.tsv"
    _write_fasta(query, dict(enumerate(queries)))
    _write_fasta(target, dict(enumerate(targets)))
    subprocess.run(
        ["mmseqs", "easy-search", str(query), str(target), str(hits), str(work / "tmp"),
         "-s", "6", "-e", "0.1", "--max-seqs", "20000", "--alignment-mode", "3",
         "--min-seq-id", str(MIN_IDENTITY), "--threads", str(threads), "-v", "1",
         "--format-output", "query,target,fident,alnlen,qlen,tlen"],
        check=True,
    )  # fmt: skip
    with hits.open() as lines:
        for line in lines:
            first, second, identity, aligned, length_a, length_b = line.split("\t")
            if is_leak(float(identity), int(aligned), int(length_a), int(length_b)):
                yield int(first), int(second)


def best_hits(
    queries: Mapping[int, str], targets: Sequence[str], work: Path, top: int, threads: int = 2
) -> dict[int, list[int]]:
    """The targets that resemble each query most, by bit score, the query's own number left out.

    Parameters
    ----------
    queries : mapping
        Number among `targets` -> sequence.
    """
    _require_mmseqs()
    work.mkdir(parents=True, exist_ok=True)
    query, target, hits = work / "queries.fasta", work / "targets.fasta", work / "best.tsv"
    _write_fasta(query, queries)
    _write_fasta(target, dict(enumerate(targets)))
    subprocess.run(
        ["mmseqs", "easy-search", str(query), str(target), str(hits), str(work / "tmp"),
         "-s", "7.5", "-e", "10", "--max-seqs", "300", "--threads", str(threads), "-v", "1",
         "--format-output", "query,target,bits"],
        check=True,
    )  # fmt: skip
    found: dict[int, list[tuple[float, int]]] = {}
    with hits.open() as lines:
        for line in lines:
            first, second, bits = line.split("\t")
            if first != second:
                found.setdefault(int(first), []).append((-float(bits), int(second)))
    return {one: [target for _, target in sorted(some)[:top]] for one, some in found.items()}


def align_homologues(
    queries: Mapping[str, str], targets: Sequence[str], work: Path, threads: int = 2
) -> Iterator[Path]:
    """The homologues of each query among `targets`, aligned to it: files NAME.a3m in `work`.

    Three rounds, each with the profiles of the one before; queries without a homologue get
    no file worth reading, which is left out.

    Parameters
    ----------
    queries : mapping
        Name of the file -> sequence.
    """
    _require_mmseqs()
    work.mkdir(parents=True, exist_ok=True)
    files = work / "a3m"
    files.mkdir(exist_ok=True)
    _write_fasta(work / "queries.fasta", queries)
    _write_fasta(work / "targets.fasta", dict(enumerate(targets)))
    common = ["--threads", str(threads), "-v", "1"]
    for words in (
        ["createdb", "queries.fasta", "queries", "-v", "1"],
        ["createdb", "targets.fasta", "targets", "-v", "1"],
        ["search", "queries", "targets", "hits", "tmp", "--num-iterations", "3", "-s", "6",
         "-e", "1e-3", "--max-seqs", str(MOST_HOMOLOGUES), *common],
        ["result2msa", "queries", "targets", "hits", "aligned", "--msa-format-mode", "6",
         *common],
    ):  # fmt: skip
        subprocess.run(["mmseqs", *words], check=True, cwd=work)
    shutil.copyfile(work / "queries.lookup", work / "aligned.lookup")  # names of the files
    subprocess.run(
        ["mmseqs", "unpackdb", "aligned", "a3m", "--unpack-name-mode", "1",
         "--unpack-suffix", ".a3m", *common],
        check=True,
        cwd=work,
    )  # fmt: skip
    return (path for path in sorted(files.glob("*.a3m")) if path.read_text().count(">") > 1)


def _require_mmseqs() -> None:
    if shutil.which("mmseqs") is None:
        raise UnavailableError("MMseqs2 is missing; install the package `mmseqs2`.")


def _write_fasta(path: Path, sequences: Mapping[Any, str]) -> None:
    path.write_text("".join(f">{name}\n{s}\n" for name, s in sequences.items()))
