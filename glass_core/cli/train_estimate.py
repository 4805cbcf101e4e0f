"""The steps that train the head which estimates what a model would predict of each mutant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import FOLDER, device_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.train_options import (
    changed,
    embedder_options,
    hardware_options,
    pace_options,
    say_trained,
)
from glass_core.errors import require_training_packages


@click.command("exact")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--model", type=FOLDER, required=True, help="The model that predicts.")
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder for the values; give it again to continue after a kill.",
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="QUERY",
    help="Pandas query; rows of a table that match are left out. May be repeated.",
)
@click.option(
    "--chains",
    "train",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Training chains; fewer where there are fewer groups.",
)
@click.option("--validation", type=click.IntRange(0), default=40, show_default=True)
@click.option("--test", type=click.IntRange(0), default=100, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads.")
@device_option
def exact_command(
    source: Path,
    model: Path,
    out: Path,
    leave_out: tuple[str, ...],
    train: int,
    validation: int,
    test: int,
    threads: int | None,
    device: str | None,
) -> None:
    """Predict random substitutions of chains, mutant by mutant, for the step estimate to learn.

    SOURCE is as for the step pairs: a folder of structure files, or a Parquet table with the
    columns id, sequence and ca, and where known split_group and cluster40. One chain of each
    split group is taken at most.
    """
    require_training_packages("training", "lightning_fabric")
    from glass_core.models.registry import load_siamese
    from glass_core.training.data.chains import read_chains
    from glass_core.training.data.exact import ExactPlan, write_exact
    from glass_core.training.setup import use_threads

    use_threads(threads)
    plan = ExactPlan(train, validation, test)
    chains = read_chains(
        source, lambda words: click.echo(f"left out: {words}", err=True), leave_out
    )
    with console_bar("predicting") as bar:
        write_exact(load_siamese(settings_on(device), model.resolve()), chains, out, plan, bar.rate)
    click.echo(f"exact values in {out}")


def _left_out(reason: str) -> None:
    click.echo(f"left out: {reason}", err=True)


@click.command("estimate")
@click.argument("exact", type=FOLDER)
@click.option("--model", type=FOLDER, required=True, help="The model that gets the head.")
@pace_options
@embedder_options
@hardware_options
def estimate_command(
    exact: Path,
    model: Path,
    pace: dict[str, Any],
    embedding: dict[str, Any],
    hardware: dict[str, Any],
) -> None:
    """Train the head that estimates a model's predictions from the wild type alone.

    EXACT is what the step exact wrote, by the same model.
    """
    require_training_packages("training", "lightning_fabric", "diskcache")
    from glass_core.models.card import ModelCard
    from glass_core.training.estimate import ESTIMATE_SCHEDULE, train_estimate
    from glass_core.training.setup import open_embedder, open_fabric

    ModelCard.read(model)
    schedule = changed(ESTIMATE_SCHEDULE, pace)
    fabric = open_fabric(**hardware)
    history = train_estimate(open_embedder(**embedding), exact, model, fabric, schedule)
    say_trained(fabric, model, history)
