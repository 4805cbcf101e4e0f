"""The step of training that makes the heads of properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import FILE, FOLDER, device_option, model_option, settings_on
from glass_core.cli.train_options import changed, hardware_options, pace_options, say_trained
from glass_core.errors import require_training_packages

_HEADS = ("enzyme", "ontology", "thermostability", "ranking", "binding")


@click.command("property")
@click.argument("head", type=click.Choice(_HEADS))
@click.option("--data", type=FOLDER, required=True, help="Folder of the tables of properties.")
@click.option("--chains", type=FILE, required=True, help="Parquet of chains with backbones.")
@click.option("--encoder", type=FOLDER, required=True, help="Folder that 'train joint' left.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the model; made, or added to.")
@click.option("--kept", type=FOLDER, required=True, help="Folder for what was read; resumes.")
@click.option("--side", type=click.Choice(("test", "validation")), default="test")
@click.option("--hidden", type=int, help="Width of the head, in place of its own.")
@click.option("--leave-out", "left_out", multiple=True, help="Pandas query of chains to leave out.")
@pace_options
@hardware_options
@model_option
@device_option
def property_command(
    head: str,
    data: Path,
    chains: Path,
    encoder: Path,
    out: Path,
    kept: Path,
    side: str,
    hidden: int | None,
    left_out: tuple[str, ...],
    pace: dict[str, Any],
    hardware: dict[str, Any],
    model: str,
    device: str | None,
) -> None:
    """Train one HEAD over the joint encoder, put it into a model, and write its record."""
    require_training_packages("training", "lightning_fabric")
    from glass_core.models.registry import load_siamese
    from glass_core.training.properties.run import SCHEDULES, PropertyTraining, train_property
    from glass_core.training.setup import open_fabric

    fabric, settings = open_fabric(**hardware), settings_on(device)
    how = PropertyTraining(
        head,
        data,
        chains,
        encoder,
        out,
        kept,
        schedule=changed(SCHEDULES[head], pace),
        side=side,
        hidden=hidden,
        left_out=left_out,
    )

    def tell(words: str) -> None:
        click.echo(words, err=True)

    history = train_property(how, load_siamese(settings, model), settings, fabric, tell)
    say_trained(fabric, out, history)
