"""The command that measures how good a model is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import FILE, FOLDER, device_option, settings_on
from glass_core.errors import require_training_packages


@click.command("evaluate")
@click.argument("model")
@click.option("--pairs", type=FOLDER, help="What the step pairs of train wrote.")
@click.option("--effects", type=FILE, help="As the step effect of train reads.")
@click.option(
    "--structures",
    type=FILE,
    help="Backbones of the wild types of --effects, as the step sites of train reads.",
)
@click.option(
    "--alignments",
    type=FOLDER,
    help="Alignments of the wild types of --effects, as the step alignments of train writes.",
)
@click.option(
    "--reverse",
    type=FILE,
    help="Parquet table of ddG with the set Ssym (wt_sequence, mutant, ddg, source).",
)
@click.option(
    "--secondary",
    type=FILE,
    help="Parquet table with sequence and secondary "
    "(H, E, C) of proteins unlike any trained on; for the compact encoder.",
)
@click.option(
    "--changes",
    type=FOLDER,
    help="Folder of pairs of structures, as the step change of train reads.",
)
@click.option("--exact", type=FOLDER, help="What the step exact of train wrote.")
@click.option(
    "--chains",
    type=FILE,
    help="Chains with coordinates, as the step pairs of train reads: how well relatives are "
    "found and aligned. Needs MMseqs2.",
)
@click.option(
    "--side", type=click.Choice(["validation", "test"]), default="test", show_default=True
)
@click.option("--out", type=FOLDER, required=True, help="Folder for one JSON record per set.")
@device_option
def evaluate_command(
    model: str,
    pairs: Path | None,
    effects: Path | None,
    structures: Path | None,
    alignments: Path | None,
    reverse: Path | None,
    secondary: Path | None,
    changes: Path | None,
    exact: Path | None,
    chains: Path | None,
    side: Any,
    out: Path,
    device: str | None,
) -> None:
    """Measure MODEL on held-out rows beside trivial baselines.

    MODEL is the name of an installed model, or the folder of one.
    """
    require_training_packages("evaluate", "lightning_fabric")
    from glass_core.training.evaluation.run import HeldOut, evaluate_model

    folder = Path(model)
    held_out = HeldOut(
        pairs=pairs,
        effects=effects,
        structures=structures,
        alignments=alignments,
        reverse=reverse,
        secondary=secondary,
        changes=changes,
        exact=exact,
        chains=chains,
        side=side,
    )
    for path in evaluate_model(
        settings_on(device),
        folder.resolve() if folder.is_dir() else model,
        out,
        held_out,
        lambda words: click.echo(words, err=True),
    ):
        click.echo(str(path))
