"""Evaluation records: one JSON file per model and set, from which every figure is drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from glass_core.embedders.device import resolve_device
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import InputError
from glass_core.models.card import CARD_FILE, ModelCard
from glass_core.models.evaluation import EVALUATION_FOLDER, read_evaluations
from glass_core.models.fold_chance import FoldChances
from glass_core.models.predictor import Predictor, SiamesePredictor
from glass_core.models.registry import fold_chances_of, load_siamese
from glass_core.models.space.base import Space
from glass_core.progress import Say, ignore
from glass_core.search.building import Building
from glass_core.search.packing import embedded_database
from glass_core.settings import Settings
from glass_core.training.data.assays import read_assays
from glass_core.training.data.backbones import BackboneChain
from glass_core.training.data.chains import read_chains
from glass_core.training.data.changes import PAIRS_FILE, read_changes
from glass_core.training.data.exact import PIECES, read_exact
from glass_core.training.data.pairs import SHARDS, read_shards
from glass_core.training.data.splits import Split
from glass_core.training.data.tables import read_columns
from glass_core.training.data.wild_structures import read_wild_structures
from glass_core.training.evaluation.estimate import evaluate_estimate
from glass_core.training.evaluation.local_change import evaluate_local_change
from glass_core.training.evaluation.pairs import evaluate_pairs, secondary_accuracy
from glass_core.training.evaluation.relatives import evaluate_relatives
from glass_core.training.evaluation.reverse import evaluate_reverse
from glass_core.training.evaluation.search import evaluate_search
from glass_core.training.evaluation.space import evaluate_space
from glass_core.training.evaluation.structures import evaluate_alignments, evaluate_structures
from glass_core.training.evaluation.variants import evaluate_effects
from glass_core.training.evaluation.writing import record_frame, write_evaluation
from glass_core.training.fold_chance import chain_database
from glass_core.training.loop import data_sha256

_PACKAGES = ("torch", "numpy", "scipy", "pandas", "tmtools", "biopython")


@dataclass(frozen=True)
class HeldOut:
    """Where the rows lie that a model is measured on; None where there are none of a kind.

    Attributes
    ----------
    pairs : Path or None
        Folder that the step pairs of train wrote.
    effects : Path or None
        Table of variant effects.
    structures : Path or None
        Backbones of its wild types, see `data.wild_structures`; goes with `effects`.
    secondary : Path or None
        Table with sequence and secondary structure.
    alignments : Path or None
        Folder of their alignments, see `data.alignments`; goes with both.
    reverse : Path or None
        Table of ddG with the set Ssym, see `reverse`; goes with `effects` and `structures`.
    changes : Path or None
        Folder of pairs of structures, for the head of local change.
    exact : Path or None
        Folder that the step exact of train wrote, for the estimate head.
    chains : Path or None
        Chains with coordinates, as the step pairs of train reads, for the search; with
        `effects` also for what relatives tell of variants.
    side : {"validation", "test"}

    Raises
    ------
    InputError
        All of them are missing.
    """

    pairs: Path | None = None
    effects: Path | None = None
    structures: Path | None = None
    alignments: Path | None = None
    reverse: Path | None = None
    secondary: Path | None = None
    changes: Path | None = None
    exact: Path | None = None
    chains: Path | None = None
    side: Split = "test"

    def __post_init__(self) -> None:
        kinds = (self.pairs, self.effects, self.secondary, self.changes, self.exact, self.chains)
        if not any(kinds):
            raise InputError(
                "evaluate: give at least one of --pairs, --effects, --secondary, --changes and "
                "--exact."
            )


def evaluate_model(
    settings: Settings, model: str | Path, out: Path, held_out: HeldOut, tell: Say = ignore
) -> Iterator[Path]:
    """Measure a model and write its records into `out`; yields each path when written."""
    predictor = load_siamese(settings, model)
    out.mkdir(parents=True, exist_ok=True)
    frame = record_frame(asdict(predictor.info), held_out.side, _PACKAGES)

    def write(kind: str, name: str, content: dict[str, Any], data: Path) -> Path:
        record = {**frame, "kind": kind, "set": name, "data_sha256": data_sha256(data), **content}
        return write_evaluation(out / f"{name.replace(' ', '-')}.json", record)

    if held_out.pairs is not None:
        table = read_shards(held_out.pairs / SHARDS)
        asked = table[table["side"] == held_out.side]
        if asked.empty:
            raise InputError(f"{held_out.pairs}: holds no pair of the {held_out.side} side.")
        by_set = evaluate_pairs(predictor, asked, table[table["side"] == "train"], tell)
        for name, content in by_set.items():
            yield write("pairs", name, content, held_out.pairs / SHARDS)
    if held_out.effects is not None:
        assays = [a for a in read_assays(held_out.effects) if a.side == held_out.side]
        for name, content in evaluate_effects(predictor, assays, tell).items():
            yield write(_kind(name), name, content, held_out.effects)
        if held_out.structures is not None:
            every = read_assays(held_out.effects, fewest=1)
            asked_for = [a for a in every if a.side == held_out.side]
            known = read_wild_structures(held_out.structures)
            for name, content in evaluate_structures(predictor, asked_for, known, tell):
                yield write(_kind(name), name, content, held_out.structures)
            if held_out.alignments is not None:
                for name, content in evaluate_alignments(
                    predictor, asked_for, known, held_out.alignments, tell
                ):
                    yield write(_kind(name), name, content, held_out.alignments)
            if held_out.reverse is not None:
                proteins = read_columns(held_out.effects, ["sequence", "group", "side"])
                content = evaluate_reverse(
                    predictor,
                    held_out.reverse,
                    proteins.drop_duplicates(),
                    known,
                    held_out.side,
                    tell,
                )
                yield write("reverse", "ssym", content, held_out.reverse)
    if held_out.secondary is not None:
        if "secondary" not in predictor.embedder.side_heads:
            raise InputError(
                f"--secondary: {predictor.embedder.name} does not tell secondary structure."
            )
        labelled = read_columns(held_out.secondary, ["sequence", "secondary"])
        content = secondary_accuracy(predictor.embedder, labelled)
        yield write("secondary", "secondary structure", content, held_out.secondary)
    if held_out.changes is not None:
        if predictor.head("local_change") is None:
            raise InputError(f"--changes: {model} has no head of local change.")
        structures = StructureEmbedder.load(settings, resolve_device(settings.device))
        changes = read_changes(held_out.changes, structures, sides=(held_out.side,), say=tell)
        content = evaluate_local_change(predictor, changes, tell)
        yield write("local change", "local change", content, held_out.changes / PAIRS_FILE)
    if held_out.exact is not None:
        asked_of, train = (read_exact(held_out.exact, side) for side in (held_out.side, "train"))
        content = evaluate_estimate(predictor, asked_of, train, tell)
        yield write("estimate", "estimate", content, held_out.exact / PIECES)
    if held_out.chains is not None:
        content = _search(settings, model, predictor, held_out.chains, held_out.side, tell)
        yield write("search", "search", content, held_out.chains)
        if held_out.effects is not None:
            asked_for = [a for a in read_assays(held_out.effects) if a.side == held_out.side]
            content = evaluate_relatives(
                predictor, embedded_database(settings), _chances(settings, model), asked_for, tell
            )
            yield write("search", "relatives", content, held_out.effects)


def write_space_record(
    space: Space,
    predictor: SiamesePredictor,
    chains: Sequence[BackboneChain],
    folds: pd.DataFrame,
    side: Split,
    folder: Path,
    source: Path,
    work: Path,
    tell: Say = ignore,
    beside: Mapping[str, Space] | None = None,
) -> Path:
    """Measure a space and write its record into its folder; see `evaluate_space`."""
    content = evaluate_space(space, predictor, chains, folds, side, work, tell, beside)
    record = {
        **record_frame(asdict(space.info), side, _PACKAGES),
        "kind": "space",
        "set": "space",
        "data_sha256": data_sha256(source),
        **content,
    }
    return write_evaluation(folder / EVALUATION_FOLDER / "space.json", record)


def _search(
    settings: Settings, model: str | Path, predictor: Predictor, path: Path, side: str, tell: Say
) -> dict[str, Any]:
    chains = read_chains(path, tell)
    chances = (
        FoldChances.read(model) if isinstance(model, Path) else fold_chances_of(settings, model)
    )
    with TemporaryDirectory() as work:
        how = Building(settings, model)
        database = chain_database(chains, Path(work) / "chains", how)
        return evaluate_search(predictor, chains, side, database, chances, Path(work), tell)


def _chances(settings: Settings, model: str | Path) -> FoldChances | None:
    if isinstance(model, Path):
        return FoldChances.read(model)
    return fold_chances_of(settings, model)


def _kind(name: str) -> str:
    """The kind of a record of variant effects, from the name of its set."""
    return "clinical" if name.startswith("clinical") else "effects"


def held_out_figures(model: Path) -> dict[str, Any]:
    """The figures of every record in a model's folder, without the rows they come from."""
    return {
        name: {
            k: v
            for k, v in record.content.items()
            if k
            in (
                "pairs",
                "assays",
                "labels",
                "groups",
                "figures",
                "calibration_error",
                "accuracy",
                "commonest_state",
                "proteins",
                "sampled",
                "sizes",
                "structures",
                "by_structure",
                "same_sequence",
                "substitutions",
                "queries",
                "misses",
                "alignments",
            )
        }
        for name, record in read_evaluations(model).items()
    }


def write_words(model: Path, words: Mapping[str, Any]) -> ModelCard:
    """Put `words` (licence, what it was trained on, limits) and its figures into a model's card."""
    path = model / CARD_FILE
    content = json.loads(path.read_text(encoding="utf-8")) | dict(words)
    content["held_out"] = held_out_figures(model)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return ModelCard.read(model)
