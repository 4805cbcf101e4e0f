"""Which sequences resemble which.

By MMseqs2 (Steinegger & Söding, Nat. Biotechnol. 35, 1026 (2017)), a program of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from glass_core.errors import UnavailableError

MIN_IDENTITY = 0.4

MIN_COVERAGE = 0.5
"""Of the shorter sequence."""

MIN_SHARED_RESIDUES = 50
"""An alignment this long counts whatever share of the sequence it is: a shared domain."""


def is_leak(identity: float, aligned: int, length_a: int, length_b: int) -> bool:
    """Whether an alignment makes one of the two sequences unfit for training."""
    needed = min(MIN_COVERAGE * min(length_a, length_b), MIN_SHARED_RESIDUES)
    return identity >= MIN_IDENTITY and aligned >= needed


def similar(
    queries: Sequence[str], targets: Sequence[str], work: Path, threads: int = 2
) -> Iterator[tuple[int, int]]:
    """Pairs (query, target) of indices whose alignment `is_leak`."""
    if shutil.which("mmseqs") is None:
        raise UnavailableError("MMseqs2 is missing; install the package `mmseqs2`.")
    work.mkdir(parents=True, exist_ok=True)
    query, target, hits = work / "queries.fasta", work / "targets.fasta", work / "hits.tsv"
    _write_fasta(query, queries)
    _write_fasta(target, targets)
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


def _write_fasta(path: Path, sequences: Sequence[str]) -> None:
    path.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences)))
