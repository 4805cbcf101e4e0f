"""Alignments of homologues of the wild types that effects are known of."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import pandas as pd

from glass_core.errors import InputError
from glass_core.inputs.msa import read_profile
from glass_core.progress import Say
from glass_core.protein.profile import AlignmentProfile
from glass_core.search.mmseqs import align_homologues
from glass_core.training.data.corpus import natural_sequences

LONGEST = 4_000
"""Residues of a wild type whose homologues are looked for."""
_SUFFIX = ".a3m.gz"


def write_alignments(data: Path, work: Path, out: Path, threads: int, say: Say) -> int:
    """Write one file per wild type of ``WORK/effects.parquet`` into the folder `out`.

    Files are named by the MD5 of the wild type. Where ``DATA/msas`` has an alignment it is
    taken; else homologues are looked for among the natural sequences of `data`.

    Returns
    -------
    int
        Files in `out`.
    """
    effects = pd.read_parquet(work / "effects.parquet", columns=["sequence"])
    by_name = {name_of(sequence): sequence for sequence in effects["sequence"].unique()}
    out.mkdir(parents=True, exist_ok=True)
    given = pd.read_csv(data / "msas/matches.csv").sort_values("best_for_target")
    for row in given.itertuples():
        if row.wt_md5 in by_name:
            shutil.copyfile(data / "msas" / f"{row.name}{_SUFFIX}", out / f"{row.wt_md5}{_SUFFIX}")
    say(f"given: {len(list(out.glob(f'*{_SUFFIX}')))} of {len(by_name)} wild types")
    missing = {
        name: sequence
        for name, sequence in by_name.items()
        if not (out / f"{name}{_SUFFIX}").is_file() and len(sequence) <= LONGEST
    }
    natural = list(natural_sequences(data)["sequence"])
    for path in align_homologues(missing, natural, work / "homologues", threads):
        (out / f"{path.stem}{_SUFFIX}").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    return len(list(out.glob(f"*{_SUFFIX}")))


def read_alignment(folder: Path | None, sequence: str) -> AlignmentProfile | None:
    """The profile of a wild type from the folder; None without a file that fits it."""
    if folder is None:
        return None
    path = folder / f"{name_of(sequence)}{_SUFFIX}"
    if not path.is_file():
        return None
    try:
        return read_profile(path, sequence)
    except InputError:
        return None  # an alignment of another part of the protein, or of too little of it


def name_of(sequence: str) -> str:
    """What the file of a wild type is called, without its ending."""
    return hashlib.md5(sequence.encode(), usedforsecurity=False).hexdigest()
