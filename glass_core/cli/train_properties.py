"""The step of training that makes the heads of properties."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glass_core.cli.options import FILE, FOLDER, device_option, gathered, model_option, settings_on
from glass_core.cli.train_options import changed, hardware_options, pace_options, say_trained
from glass_core.errors import InputError, require_training_packages

if TYPE_CHECKING:
    from glass_core.models.predictor import SiamesePredictor
    from glass_core.settings import Settings
    from glass_core.training.properties.run import PropertyTraining

_HEADS = ("enzyme", "ontology", "thermostability", "ranking", "binding")


what_to_train = gathered(
    "given",
    {
        "data": click.option(
            "--data", type=FOLDER, required=True, help="Folder of the tables of properties."
        ),
        "chains": click.option(
            "--chains", type=FILE, required=True, help="Parquet of chains with backbones."
        ),
        "encoder": click.option(
            "--encoder", type=FOLDER, required=True, help="Folder that 'train joint' left."
        ),
        "out": click.option(
            "--out", type=FOLDER, required=True, help="Folder of the model; made, or added to."
        ),
        "kept": click.option(
            "--kept", type=FOLDER, required=True, help="Folder for what was read; resumes."
        ),
        "side": click.option("--side", type=click.Choice(("test", "validation")), default="test"),
        "hidden": click.option("--hidden", type=int, help="Width of the head."),
        "left_out": click.option(
            "--leave-out", "left_out", multiple=True, help="Pandas query of chains to leave out."
        ),
    },
)
"""Of a head of properties; for `PropertyTraining`."""


@click.command("property")
@click.argument("head", type=click.Choice(_HEADS))
@what_to_train
@pace_options
@hardware_options
@model_option
@device_option
def property_command(head: str, **training: Any) -> None:
    """Train one HEAD over the joint encoder, put it into a model, and write its record."""
    how, predictor, settings, fabric = _opened(head, **training)
    from glass_core.training.properties.run import train_property

    say_trained(fabric, how.out, train_property(how, predictor, settings, fabric, _tell))


@click.command("ablation")
@click.argument("head", type=click.Choice(_HEADS))
@click.argument("encoders", nargs=-1, required=True, metavar="NAME=FOLDER...")
@what_to_train
@click.option("--note", default="", help="What readers must know of the encoders.")
@pace_options
@hardware_options
@model_option
@device_option
def ablation_command(head: str, encoders: tuple[str, ...], note: str, **training: Any) -> None:
    """Train the same HEAD over other encoders, each NAME=FOLDER, for its record's comparison."""
    others = _named(encoders)
    how, predictor, settings, fabric = _opened(head, **training)
    from glass_core.training.properties.run import write_ablations

    path = write_ablations(how, others, note, predictor, settings, fabric, _tell)
    click.echo(f"{len(others)} encoder(s) in {path}")


@click.command("encoders")
@click.argument("effects", type=FILE)
@click.argument("encoders", nargs=-1, metavar="NAME=FOLDER...")
@click.option(
    "--structures", type=FILE, required=True, help="As those of the step 'sites'; read by all."
)
@click.option("--out", type=FOLDER, required=True, help="Model of properties that gets the record.")
@click.option("--kept", type=FOLDER, required=True, help="Folder of the checkpoints; resumes.")
@click.option("--side", type=click.Choice(("test", "validation")), default="test")
@pace_options
@hardware_options
@device_option
def encoders_command(
    effects: Path,
    encoders: tuple[str, ...],
    structures: Path,
    out: Path,
    kept: Path,
    side: str,
    pace: dict[str, Any],
    hardware: dict[str, Any],
    device: str | None,
) -> None:
    """Measure over which encoder fold stability is told best, for the model's record.

    EFFECTS is the table of the step 'effect'. Beside the model's own joint encoder, ProteinMPNN
    and the encoder of sequences stand those of NAME=FOLDER, which 'train joint' left.
    """
    require_training_packages("training", "lightning_fabric")
    from glass_core.training.properties.encoders import EncodersAsked, write_encoders
    from glass_core.training.properties.stability import READING_SCHEDULE
    from glass_core.training.setup import open_fabric

    schedule = changed(READING_SCHEDULE, pace)
    asked = EncodersAsked(effects, structures, out, kept, _named(encoders), schedule, side)
    path = write_encoders(asked, settings_on(device), open_fabric(**hardware), _tell)
    click.echo(f"fold stability over {len(encoders) + 3} encoder(s) in {path}")


def _named(encoders: tuple[str, ...]) -> dict[str, Path]:
    """Encoders by name, from words like NAME=FOLDER."""
    found = {}
    for word in encoders:
        name, equals, folder = word.partition("=")
        if not equals or not name or not folder:
            raise InputError(f"'{word}': give the encoder as NAME=FOLDER.")
        found[name] = Path(folder)
    return found


def _opened(
    head: str,
    given: dict[str, Any],
    pace: dict[str, Any],
    hardware: dict[str, Any],
    model: str,
    device: str | None,
) -> tuple[PropertyTraining, SiamesePredictor, Settings, Any]:
    """What both commands train with; Lightning's Fabric last."""
    require_training_packages("training", "lightning_fabric")
    from glass_core.models.registry import load_siamese
    from glass_core.training.properties.run import SCHEDULES, PropertyTraining
    from glass_core.training.setup import open_fabric

    fabric, settings = open_fabric(**hardware), settings_on(device)
    how = PropertyTraining(head, schedule=changed(SCHEDULES[head], pace), **given)
    return how, load_siamese(settings, model), settings, fabric


def _tell(words: str) -> None:
    click.echo(words, err=True)
