"""The steps of training in which structure and sequence come together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import FILE, FOLDER, model_option, settings_on
from glass_core.cli.train_options import changed, hardware_options, pace_options, say_trained
from glass_core.errors import require_training_packages

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
    from glass_core.models.space.structures import JointReader, MpnnReader, StructureReader
    from glass_core.training.joint import read_joint
    from glass_core.training.setup import open_fabric
    from glass_core.training.space import SPACE_SCHEDULE, STRETCHES, SpaceTraining, train_space

    fabric = open_fabric(**hardware)
    settings = settings_on(fabric.device.type)
    reader: StructureReader
    if joint is None:
        reader = MpnnReader(StructureEmbedder.load(settings, fabric.device))
    else:
        reader = JointReader(read_joint(joint).to(fabric.device), f"joint {joint.name}")
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
