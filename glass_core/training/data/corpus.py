"""What the encoder is trained on: sequences, residue labels and chains, fit to use.

The step ``train corpus`` writes, into a working folder,
``corpus.parquet`` (what trains), ``secondary-test.parquet`` (labelled proteins unlike
any labelled or structured one that trains), ``proteins.parquet`` (the wild types of
the variant data with group and side) and, elsewhere, the split lists that are committed.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glass_core.training.data.splits import (
    held_out_chains,
    largest,
    leaking_sequences,
    protein_groups,
    protein_sides,
    split_lists,
    split_of,
    variant_proteins,
)

NO_LABEL = "-"
CORPUS_COLUMNS = ("source", "cluster", "sequence", "secondary", "conservation", "disorder", "ca")
"""`ca` is flat (x, y, z of every residue, Å); a missing label or coordinate is null."""
_LONGEST_LABELLED = 2000


def labelled_proteins(data: Path) -> pd.DataFrame:
    """One row per sequence with whatever residue labels are known of it."""
    folder = data / "residue_labels"
    secondary = pd.read_parquet(folder / "secondary_structure.parquet")
    secondary["secondary"] = [
        "".join(c if seen == "1" else NO_LABEL for c, seen in zip(states, resolved, strict=True))
        for states, resolved in zip(secondary["label"], secondary["resolved"], strict=True)
    ]
    tables = [secondary[["sequence", "secondary"]]]
    for name in ("conservation", "disorder"):
        table = pd.read_parquet(folder / f"{name}.parquet", columns=["sequence", "label"])
        tables.append(table.rename(columns={"label": name}))
    merged = tables[0].drop_duplicates("sequence")
    for table in tables[1:]:
        merged = merged.merge(table.drop_duplicates("sequence"), on="sequence", how="outer")
    merged = merged[merged["sequence"].str.len() <= _LONGEST_LABELLED].reset_index(drop=True)
    return merged.assign(source="labelled", cluster=[f"l{i}" for i in merged.index])


def natural_sequences(data: Path) -> pd.DataFrame:
    """The sequences for masked residues, with their cluster at 50% identity."""
    table = pd.read_parquet(data / "sequences/sequences.parquet", columns=["sequence", "cluster"])
    return table.assign(source="natural")


def train_chains(data: Path) -> pd.DataFrame:
    """Experimental chains on the training side, with C-alpha coordinates."""
    table = pd.read_parquet(
        data / "structures/chains.parquet",
        columns=["sequence", "split_group", "cluster40", "kind", "license_note", "ca"],
    )
    biggest = largest(table["split_group"])
    fit = (
        (table["split_group"].map(lambda g: split_of(int(g), biggest)) == "train")
        & ~table["kind"].isin(["model", "af"])
        & ~table["license_note"].str.contains("NC-SA|non-commercial", case=False)
    )
    table = table[fit].rename(columns={"cluster40": "cluster"})
    table["cluster"] = "s" + table["cluster"].astype(str)
    table["ca"] = [np.asarray(c, dtype=np.float32) for c in table["ca"]]
    return table[["sequence", "cluster", "ca"]].assign(source="chain")


def secondary_test(
    kept: pd.DataFrame, left_out: pd.DataFrame, work: Path, threads: int
) -> pd.DataFrame:
    """Rows of `left_out` with secondary structure that resemble nothing labelled in `kept`.

    What was left out for resembling a held-out sequence may resemble a training one too.
    """
    asked = left_out[left_out["secondary"].notna()]
    known = kept.loc[kept["source"] != "natural", "sequence"]
    related = leaking_sequences(
        list(known), list(asked["sequence"]), work / "mmseqs-secondary", threads
    )
    return asked[[k not in related for k in range(len(asked))]][["sequence", "secondary"]]


def write_corpus(data: Path, work: Path, out: Path, threads: int = 2) -> dict[str, Any]:
    """Write what trains the encoder into `work`, and the split lists into `out`.

    Returns
    -------
    dict
        The split lists.
    """
    work.mkdir(parents=True, exist_ok=True)
    proteins = variant_proteins(data)
    groups = protein_groups(proteins, work / "mmseqs-proteins", threads)
    sides = protein_sides(groups)
    pd.DataFrame({"sequence": proteins, "group": groups, "side": sides}).to_parquet(
        work / "proteins.parquet"
    )
    kept_out = sorted(
        {
            *held_out_chains(data),
            *(s for s, side in zip(proteins, sides, strict=True) if side != "train"),
        }
    )
    corpus = pd.concat(
        [natural_sequences(data), labelled_proteins(data), train_chains(data)], ignore_index=True
    )[list(CORPUS_COLUMNS)]
    leaks = leaking_sequences(kept_out, list(corpus["sequence"]), work / "mmseqs", threads)
    fit = ~corpus.index.isin(sorted(leaks))
    corpus[fit].reset_index(drop=True).to_parquet(work / "corpus.parquet")
    natural = corpus[fit & (corpus["source"] == "natural")]
    natural[["sequence", "cluster"]].reset_index(drop=True).to_parquet(work / "unpaired.parquet")
    secondary_test(corpus[fit], corpus[~fit], work, threads).to_parquet(
        work / "secondary-test.parquet"
    )
    chains = pd.read_parquet(data / "structures/chains.parquet", columns=["split_group"])
    lists = split_lists([int(g) for g in chains["split_group"]]) | {
        "protein_rule": "proteins of the variant data at 40% identity over half of the shorter one "
        "(or 50 residues) form a group, named by the smallest md5 of its sequences, whose last "
        "hex digit decides as above",
        "proteins": dict(Counter(sides)),
        "proteins_test": sorted({g for g in groups if protein_sides([g]) == ["test"]}),
        "proteins_validation": sorted({g for g in groups if protein_sides([g]) == ["validation"]}),
        "kept": corpus[fit]["source"].value_counts().to_dict(),
        "left_out": corpus[~fit]["source"].value_counts().to_dict(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(lists, separators=(",", ":")) + "\n")
    return lists
