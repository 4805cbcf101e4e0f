"""The records on finding and aligning relatives, and on what stands in them at a site."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glass_core.models.evaluation import BLOSUM, BY_ALIGNMENT, BY_VECTORS, COLUMN, MEAN, MMSEQS
from glass_core.models.fold_chance import FoldChance, FoldChances
from glass_core.protein.sequence import STANDARD
from glass_core.search.aligners import aligner_of
from glass_core.search.building import Building, build
from glass_core.search.entry import Entry
from glass_core.search.relatives import find_relatives
from glass_core.settings import Settings
from glass_core.training.data.assays import Assay
from glass_core.training.evaluation import search as search_module
from glass_core.training.evaluation.relatives import column_scores, evaluate_relatives
from glass_core.training.evaluation.search import evaluate_search, mean_vectors
from glass_core.training.fold_chance import chain_database
from tests.test_search_database import letters


def mutated(sequence, number):
    """Every fifth residue is another one."""
    rng = np.random.default_rng(number)
    return "".join(rng.choice(list(STANDARD)) if k % 5 == 0 else x for k, x in enumerate(sequence))


@pytest.fixture
def chains():
    """Six pairs of relatives of one shape each, two of them held out."""
    rng = np.random.default_rng(0)
    rows = []
    for family in range(6):
        trace = np.cumsum(rng.normal(scale=2.2, size=(40, 3)), axis=0)
        for member in range(2):
            sequence = letters(family, 40)
            rows.append(
                {
                    "id": f"c{family}{member}",
                    "sequence": mutated(sequence, family) if member else sequence,
                    "ca": trace + rng.normal(scale=0.2, size=trace.shape),
                    "group": f"g{family}",
                    "side": "test" if family < 2 else "train",
                }
            )
    return pd.DataFrame(rows)


def test_the_record_tells_misses_recall_and_calibration(
    chains, tiny_predictor, tiny_assets, tmp_path, monkeypatch
):
    # MMseqs2 as it might be: nothing for the first, a stranger for the last.
    hits = {1: [0], 2: [3], 3: [8]}
    monkeypatch.setattr(search_module, "best_hits", lambda *asked: hits)
    how = Building(Settings(assets=tiny_assets, device="cpu"), "compact")
    database = chain_database(chains, tmp_path / "db", how)
    line = FoldChance([0.0, 1.0], [0.5, 0.5])
    chances = FoldChances(line, line, aligner_of(tiny_predictor).name)
    told = []
    made = evaluate_search(tiny_predictor, chains, "test", database, chances, tmp_path, told.append)
    assert made["chains"] == made["queries"] == 4
    assert made["searched"] == 11
    assert made["groups"] == 2
    assert made["misses"][MMSEQS] == 2
    assert made["misses"][BY_ALIGNMENT] == 0
    assert set(made["misses"]) == {BY_ALIGNMENT, BY_VECTORS, MMSEQS, MEAN}
    assert made["figures"][MMSEQS]["first_hit"]["value"] == pytest.approx(0.5)
    assert made["figures"][BY_ALIGNMENT]["first_hit"]["value"] == 1
    error = made["calibration_error"]
    assert set(error) == {BY_ALIGNMENT, BY_VECTORS}
    relatives = 4  # of 44 pairs
    assert error[BY_ALIGNMENT] == pytest.approx(0.5 - relatives / 44, abs=0.05)
    first, *_ = made["alignments"]
    whole = next(one for one in made["alignments"] if one["tm"].endswith("1.0"))
    assert first["tm"] in ("0.5 to 0.8", whole["tm"])
    assert whole["recall"][BLOSUM]["value"] > 0.95
    assert whole["identity"] > 0.7
    gain = whole["recall"][BY_ALIGNMENT]["value"] - whole["recall"][BLOSUM]["value"]
    assert whole["gain"]["value"] == pytest.approx(gain, abs=1e-3)
    assert all(0 <= one["right"] <= 1 for one in made["confidence"])


def test_mean_embeddings_are_centred_and_of_length_one(tiny_predictor):
    sequences = [letters(k, 20 + k) for k in range(5)]
    made = mean_vectors(tiny_predictor, sequences)
    plain = np.stack(
        [e.residues.float().mean(0).numpy() for e in tiny_predictor.embedder.embed(sequences)]
    )
    plain -= plain.mean(axis=0)
    np.testing.assert_allclose(
        made, plain / np.linalg.norm(plain, axis=1, keepdims=True), atol=1e-5
    )


def test_the_column_is_compared_on_the_same_variants(tiny_predictor, tiny_assets, tmp_path):
    wild = letters(1, 40)
    how = Building(Settings(assets=tiny_assets, device="cpu"), "compact")
    entries = [Entry(f"r{k}", mutated(wild, k)) for k in range(4)]
    database = build([*entries, Entry("itself", wild)], tmp_path / "db", how)
    line = FoldChance([0.0, 1.0], [0.9, 0.9])
    chances = FoldChances(line, line, aligner_of(tiny_predictor).name)
    rng = np.random.default_rng(0)
    index = np.repeat(np.arange(40), 3)
    letter = np.array([(STANDARD.index(wild[i]) + 1 + k % 19) % 20 for k, i in enumerate(index)])
    assay = Assay("scan", "scan", wild, index, letter, rng.normal(size=120), "g", "test")
    unlike = Assay("alone", "scan", letters(99, 30), index[:60], letter[:60], rng.normal(size=60),
                   "h", "test")  # fmt: skip
    from glass_core.protein.protein import Protein

    found = find_relatives(Protein.from_sequence(wild), database, tiny_predictor, chances)
    scores = column_scores(found, assay)
    for row in (0, 17, 50):
        column = found.column(int(index[row]) + 1)
        assert scores[row] == column.log_odds(wild[index[row]], STANDARD[letter[row]])
    made = evaluate_relatives(tiny_predictor, database, chances, [assay], print)
    assert made["scan"]["assays"] == 1
    assert made["stability"]["assays"] == 0 and "figures" not in made["stability"]
    (row,) = made["scan"]["rows"]
    assert row["relatives"] == 4
    assert row["variants"] <= row["of"] == 120
    assert set(row["spearman"]) >= {COLUMN, BLOSUM}
    assert made["scan"]["figures"]["gain over BLOSUM62"]["spearman"]["value"] == pytest.approx(
        row["spearman"][COLUMN] - row["spearman"][BLOSUM], abs=2e-4
    )
    low = FoldChances(FoldChance([0.0], [0.1]), FoldChance([0.0], [0.1]), chances.aligner)
    none = evaluate_relatives(tiny_predictor, database, low, [assay, unlike], print)
    assert none["scan"]["assays"] == 0 and none["scan"]["without"] == 2
