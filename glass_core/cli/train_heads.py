"""The steps that train a head on fixed embeddings, over any embedder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glass_core.cli.options import FILE, FOLDER, device_option, settings_on
from glass_core.cli.train_options import (
    changed,
    embedder_options,
    hardware_options,
    pace_options,
    say_trained,
)
from glass_core.errors import InputError, require_training_packages

if TYPE_CHECKING:
    from glass_core.training.loop import History, Schedule


@click.command("siamese")
@click.option("--pairs", type=FOLDER, required=True, help="What the step pairs wrote.")
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder of the new model; give it again to continue after a kill.",
)
@click.option(
    "--unpaired",
    type=FILE,
    help="Parquet table with sequence and cluster: sequences "
    "without a structure for the contrast of the preset compact.",
)
@click.option(
    "--preset",
    default="compact",
    show_default=True,
    help="compact, or paper: the published loss, width, batch, rate and five epochs.",
)
@click.option("--epochs", type=float, help="Passes over all pairs, in place of the preset's.")
@click.option("--batch", type=int, help="Pairs per batch.")
@click.option("--accumulate", type=int, help="Batches per step.")
@click.option("--version", "version", default="0.1", show_default=True)
@pace_options
@embedder_options
@hardware_options
def siamese_command(
    pairs: Path,
    out: Path,
    unpaired: Path | None,
    preset: str,
    epochs: float | None,
    batch: int | None,
    accumulate: int | None,
    version: str,
    pace: dict[str, Any],
    embedding: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train the Siamese head on labelled pairs, over any embedder."""
    require_training_packages("training", "lightning_fabric", "diskcache")
    from glass_core.training.setup import open_embedder, open_fabric
    from glass_core.training.siamese import HEAD_RECIPES, train_head

    if preset not in HEAD_RECIPES:
        raise InputError(f"preset '{preset}': is not known; use {' or '.join(HEAD_RECIPES)}.")
    recipe = HEAD_RECIPES[preset]
    schedule = changed(recipe.schedule, pace | {"accumulate": accumulate})
    recipe = replace(
        recipe,
        schedule=schedule,
        batch=batch or recipe.batch,
        epochs=epochs or (None if pace["steps"] else recipe.epochs),
    )
    fabric = open_fabric(**hardware)
    history = train_head(
        open_embedder(**embedding),
        pairs / "shards",
        out,
        recipe,
        fabric,
        version=version,
        unpaired=unpaired,
    )
    say_trained(fabric, out, history)


@click.command("fold")
@click.option("--pairs", type=FOLDER, required=True, help="What the step pairs wrote.")
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@pace_options
@embedder_options
@hardware_options
def fold_command(
    pairs: Path,
    model: Path,
    pace: dict[str, Any],
    embedding: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train a fold head: TM-scores from the moments of the residues, in minutes.

    The model's TM-scores are then those of this head; its lDDT stays that of the Siamese head.
    """
    require_training_packages("training", "lightning_fabric", "diskcache")
    from glass_core.training.fold import FOLD_SCHEDULE, train_fold

    _add_head(train_fold, FOLD_SCHEDULE, pairs, model, pace, embedding, hardware)


@click.command("alignment")
@click.option("--pairs", type=FOLDER, required=True, help="What the step pairs wrote.")
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@pace_options
@embedder_options
@hardware_options
def alignment_command(
    pairs: Path,
    model: Path,
    pace: dict[str, Any],
    embedding: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train an alignment head: which residues of two sequences face each other in structure.

    Related chains are learnt from, so list such: see the step relatives.
    """
    require_training_packages("training", "lightning_fabric", "diskcache")
    from glass_core.training.alignment import ALIGNMENT_SCHEDULE, train_alignment

    _add_head(train_alignment, ALIGNMENT_SCHEDULE, pairs, model, pace, embedding, hardware)


def _add_head(
    train: Callable[..., History],
    preset: Schedule,
    pairs: Path,
    model: Path,
    pace: dict[str, Any],
    embedding: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train a head on labelled pairs with fixed embeddings, into a model that is there."""
    from glass_core.models.card import ModelCard
    from glass_core.training.setup import open_embedder, open_fabric

    ModelCard.read(model)
    schedule = changed(preset, pace)
    fabric = open_fabric(**hardware)
    history = train(open_embedder(**embedding), pairs / "shards", model, fabric, schedule)
    say_trained(fabric, model, history)


@click.command("effect")
@click.argument("effects", type=FILE)
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@click.option("--start", type=FILE, help="Weights to begin with (effect.safetensors).")
@pace_options
@embedder_options
@hardware_options
def effect_command(
    effects: Path,
    model: Path,
    start: Path | None,
    pace: dict[str, Any],
    embedding: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train the effect head on measured effects and clinical labels.

    EFFECTS is a Parquet table with the columns assay, kind (stability, scan, ddg or
    clinical), sequence, mutant, value (higher = more damaging; labels 0 or 1), group
    and side (train, validation or test).
    """
    require_training_packages("training", "lightning_fabric", "diskcache")
    from glass_core.models.card import ModelCard
    from glass_core.training.effect import EFFECT_SCHEDULE, train_effect
    from glass_core.training.setup import open_embedder, open_fabric

    ModelCard.read(model)
    schedule = changed(EFFECT_SCHEDULE, pace)
    fabric = open_fabric(**hardware)
    history = train_effect(open_embedder(**embedding), effects, model, fabric, schedule, start)
    say_trained(fabric, model, history)


@click.command("sites")
@click.argument("effects", type=FILE)
@click.option(
    "--structures",
    type=FILE,
    required=True,
    help="Parquet table of the wild types' backbones (wt_sequence, sequence_of_structure, "
    "position_of_residue, backbone, kind, license_note, held_back_family).",
)
@click.option("--out", type=FOLDER, required=True, help="Folder to write into.")
@click.option(
    "--mutants",
    type=click.IntRange(min=0),
    default=32,
    show_default=True,
    help="Mutants of a stability assay that are taken as wild types as well.",
)
@embedder_options
def sites_command(
    effects: Path, structures: Path, out: Path, mutants: int, embedding: dict[str, Any]
) -> None:
    """Embed every position that EFFECTS measures, for heads that look at one at a time.

    Sequence and structure, the latter by ProteinMPNN (glass models get proteinmpnn). EFFECTS
    is the table of the step effect.
    """
    require_training_packages("training", "lightning_fabric", "diskcache")
    from glass_core.embedders.mpnn import StructureEmbedder
    from glass_core.training.data.assays import read_assays
    from glass_core.training.data.sites import write_sites
    from glass_core.training.data.wild_structures import read_wild_structures
    from glass_core.training.setup import open_embedder

    embedder = open_embedder(**embedding)
    sites = write_sites(
        read_assays(effects, fewest=1),
        read_wild_structures(structures),
        embedder,
        StructureEmbedder.load(settings_on(), embedder.device),
        out,
        mutants,
        lambda words: click.echo(words, err=True),
    )
    click.echo(f"{len(sites):,} positions in {out}")


@click.command("stability")
@click.argument("sites", type=FOLDER)
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@pace_options
@hardware_options
def stability_command(
    sites: Path, model: Path, pace: dict[str, Any], hardware: dict[str, Any]
) -> None:
    """Train the stability head on positions that the step sites wrote."""
    require_training_packages("training", "lightning_fabric")
    from glass_core.models.card import ModelCard
    from glass_core.training.setup import open_fabric
    from glass_core.training.stability import STABILITY_SCHEDULE, train_stability

    ModelCard.read(model)
    fabric = open_fabric(**hardware)
    history = train_stability(sites, model, fabric, changed(STABILITY_SCHEDULE, pace))
    say_trained(fabric, model, history)


@click.command("structure-effect")
@click.argument("sites", type=FOLDER)
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@pace_options
@hardware_options
def structure_effect_command(
    sites: Path, model: Path, pace: dict[str, Any], hardware: dict[str, Any]
) -> None:
    """Train the effect head that reads the structure, on what the step sites wrote."""
    require_training_packages("training", "lightning_fabric")
    from glass_core.models.card import ModelCard
    from glass_core.training.setup import open_fabric
    from glass_core.training.structure_effect import (
        STRUCTURE_EFFECT_SCHEDULE,
        train_structure_effect,
    )

    ModelCard.read(model)
    fabric = open_fabric(**hardware)
    schedule = changed(STRUCTURE_EFFECT_SCHEDULE, pace)
    history = train_structure_effect(sites, model, fabric, schedule)
    say_trained(fabric, model, history)


@click.command("combined")
@click.argument("sites", type=FOLDER)
@click.argument("effects", type=FILE)
@click.option("--alignments", type=FOLDER, help="What the step alignments wrote.")
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@hardware_options
def combined_command(
    sites: Path, effects: Path, alignments: Path | None, model: Path, hardware: dict[str, Any]
) -> None:
    """Fit the head that makes one chance of all evidence.

    SITES is what the step sites wrote from EFFECTS. MODEL must have the heads of the steps
    stability and structure-effect; what these left in its folder is used again.
    """
    require_training_packages("training", "lightning_fabric")
    from glass_core.training.combined import train_combined
    from glass_core.training.setup import open_fabric

    fabric = open_fabric(**hardware)
    train_combined(
        sites, effects, alignments, model, fabric, lambda words: click.echo(words, err=True)
    )
    click.echo(f"{model}: has a combining head")


@click.command("change")
@click.argument("structures", type=FOLDER)
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@click.option("--keep", type=FOLDER, help="Folder that keeps what ProteinMPNN read.")
@device_option
@pace_options
@hardware_options
def change_command(
    structures: Path,
    model: Path,
    keep: Path | None,
    device: str | None,
    pace: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train the head of local change on pairs of experimental structures.

    STRUCTURES is a folder with pairs.parquet and chains.parquet. Its structures are read by
    ProteinMPNN first, which takes most of the time; --keep is for doing so once.
    """
    require_training_packages("training", "lightning_fabric")
    from glass_core.embedders.device import resolve_device
    from glass_core.embedders.mpnn import StructureEmbedder
    from glass_core.models.card import ModelCard
    from glass_core.training.local_change import LOCAL_SCHEDULE, train_local_change
    from glass_core.training.setup import open_fabric

    ModelCard.read(model)
    settings = settings_on(device)
    fabric = open_fabric(**hardware)
    history = train_local_change(
        structures,
        StructureEmbedder.load(settings, resolve_device(settings.device)),
        model,
        fabric,
        changed(LOCAL_SCHEDULE, pace),
        keep,
    )
    say_trained(fabric, model, history)
