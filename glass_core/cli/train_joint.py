"""The steps of training in which structure and sequence come together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glass_core.cli.options import FILE, FOLDER, device_option, model_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.train_options import changed, hardware_options, pace_options, say_trained
from glass_core.errors import InputError, require_training_packages

if TYPE_CHECKING:
    from glass_core.models.space.base import Space

_FUSIONS = ("serial", "parallel", "cross", "structure", "sequence")
_OBJECTIVES = ("denoising", "self-prediction")
_SIZES = ("small", "paper")


@click.command("joint")
@click.argument("chains", type=FILE)
@click.option("--out", type=FOLDER, required=True, help="Folder of the encoder; resumes from it.")
@click.option("--fusion", type=click.Choice(_FUSIONS), default="serial", show_default=True)
@click.option("--objective", type=click.Choice(_OBJECTIVES), default="denoising", show_default=True)
@click.option("--size", type=click.Choice(_SIZES), default="small", show_default=True)
@click.option("--together", type=int, help="Chains in a batch, in place of the preset's.")
@click.option("--leave-out", "left_out", multiple=True, help="Pandas query of chains to leave out.")
@pace_options
@hardware_options
def joint_command(
    chains: Path,
    out: Path,
    fusion: Any,
    objective: Any,
    size: str,
    together: int | None,
    left_out: tuple[str, ...],
    pace: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Pre-train the joint encoder of structure and sequence on CHAINS (Parquet, with backbones)."""
    require_training_packages("training", "lightning_fabric")
    from dataclasses import replace

    from glass_core.training.joint import SCHEDULE, SIZES, TOGETHER, Pretraining, pretrain_joint
    from glass_core.training.setup import open_fabric, own_language

    language, fabric = own_language(), open_fabric(**hardware)
    how = Pretraining(
        replace(SIZES[size], fusion=fusion, sequence_dim=language.config.dim),
        objective,
        changed(SCHEDULE, pace),
        together=together or TOGETHER,
        left_out=left_out,
    )
    say_trained(fabric, out, pretrain_joint(chains, out, language, fabric, how))


@click.command("space")
@click.argument("chains", type=FILE)
@click.option("--out", type=FOLDER, required=True, help="Folder of the space; resumes from it.")
@click.option(
    "--joint",
    type=FOLDER,
    help="Folder of a joint encoder of structures alone that reads them, in place of ProteinMPNN.",
)
@click.option("--direction", type=click.Choice(("both", "sequence")), default="both")
@click.option("--stretches", type=int, help="Of each sequence, in place of the preset's.")
@click.option("--temperature", type=float, help="Of the cosines; learnt, where not given.")
@click.option("--leave-out", "left_out", multiple=True, help="Pandas query of chains to leave out.")
@model_option
@pace_options
@hardware_options
def space_command(
    chains: Path,
    out: Path,
    joint: Path | None,
    direction: Any,
    stretches: int | None,
    temperature: float | None,
    left_out: tuple[str, ...],
    model: str,
    pace: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train the space of sequences and structures on CHAINS (Parquet, with backbones)."""
    require_training_packages("training", "lightning_fabric")
    from glass_core.embedders.mpnn import StructureEmbedder
    from glass_core.models.registry import load_siamese
    from glass_core.models.space.sequences import SequenceReader
    from glass_core.models.space.structures import MpnnReader, StructureReader
    from glass_core.training.joint import joint_reader
    from glass_core.training.setup import open_fabric
    from glass_core.training.space import SPACE_SCHEDULE, STRETCHES, SpaceTraining, train_space

    fabric = open_fabric(**hardware)
    settings = settings_on(fabric.device.type)
    reader: StructureReader
    if joint is None:
        reader = MpnnReader(StructureEmbedder.load(settings, fabric.device))
    else:
        reader = joint_reader(joint, fabric.device)
    how = SpaceTraining(
        changed(SPACE_SCHEDULE, pace),
        direction,
        stretches=STRETCHES if stretches is None else stretches,
        temperature=temperature,
        left_out=left_out,
    )
    history = train_space(
        chains,
        out,
        SequenceReader(load_siamese(settings, model)),
        reader,
        fabric,
        how,
        lambda done: click.echo(f"{done:,} chains read", err=True),
    )
    say_trained(fabric, out, history)


@click.command("background")
@click.argument("chains", type=FILE)
@click.argument("folds", type=FILE)
@click.option("--space", "space_folder", type=FOLDER, required=True, help="Folder of the space.")
@click.option("--most", type=int, default=2_000, show_default=True, help="Chains at most.")
@click.option("--leave-out", "left_out", multiple=True, help="Pandas query of chains to leave out.")
@click.option("--origin", required=True, help="Where they are from, with licences and date.")
@device_option
def background_command(
    chains: Path,
    folds: Path,
    space_folder: Path,
    most: int,
    left_out: tuple[str, ...],
    origin: str,
    device: str | None,
) -> None:
    """Lay out the map's background: one of each family of CHAINS that has one class in FOLDS."""
    import pandas as pd

    from glass_core.models.space.registry import load_space
    from glass_core.space.background import BACKGROUND_FILE, background_of
    from glass_core.training.data.backbones import read_backbones
    from glass_core.training.evaluation.space import SCHEME

    classes = pd.read_parquet(folds).query(f"scheme == '{SCHEME}'")
    classes = classes.drop_duplicates("id", keep=False)
    known, families = set(classes["id"]), dict[str, tuple[str, str, Any]]()
    for one in read_backbones(chains, left_out):
        if one.id in known:
            families.setdefault(one.family, (one.id, one.sequence, one.backbone))
    chosen = pd.Series(list(families.values())).sample(min(most, len(families)), random_state=0)
    space = load_space(settings_on(device), space_folder)
    with console_bar("placing") as bar:
        made = background_of(
            chosen.tolist(),
            classes,
            space,
            origin,
            lambda done: bar.stage("placing structures", done / len(chosen)),
        )
    made.write(space_folder / BACKGROUND_FILE)
    click.echo(f"{len(made):,} places of {len(chosen):,} chains in {space_folder}")


@click.command("space-record")
@click.argument("chains", type=FILE)
@click.argument("folds", type=FILE)
@click.option("--space", "space_folder", type=FOLDER, required=True, help="Folder of the space.")
@click.option("--side", type=click.Choice(("validation", "test")), default="test")
@click.option(
    "--beside",
    type=FOLDER,
    help="Folder of a space that was trained with --joint, whose retrieval stands beside.",
)
@click.option("--joint", type=FOLDER, help="Folder of the joint encoder of that space.")
@model_option
@device_option
def space_record_command(
    chains: Path,
    folds: Path,
    space_folder: Path,
    side: Any,
    beside: Path | None,
    joint: Path | None,
    model: str,
    device: str | None,
) -> None:
    """Measure a space on held-out CHAINS, with their classes from FOLDS; writes its record."""
    from tempfile import TemporaryDirectory

    import pandas as pd

    from glass_core.models.registry import load_siamese
    from glass_core.models.space.own import OwnSpace
    from glass_core.models.space.registry import load_space
    from glass_core.training.data.backbones import read_backbones
    from glass_core.training.evaluation.run import write_space_record
    from glass_core.training.joint import joint_reader

    if (beside is None) != (joint is None):
        raise InputError("give --beside and --joint together, or neither.")
    settings = settings_on(device)
    predictor = load_siamese(settings, model)
    others: dict[str, Space] = {}
    if beside is not None and joint is not None:
        reader = joint_reader(joint, predictor.embedder.device)
        others["the joint encoder"] = OwnSpace.load(beside, predictor, lambda: reader)
    with TemporaryDirectory() as work:
        path = write_space_record(
            load_space(settings, space_folder),
            predictor,
            read_backbones(chains),
            pd.read_parquet(folds),
            side,
            space_folder,
            chains,
            Path(work),
            lambda words: click.echo(words, err=True),
            others,
        )
    click.echo(str(path))
