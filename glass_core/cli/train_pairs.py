"""The step that labels pairs of chains."""

from __future__ import annotations

from pathlib import Path

import click

from glass_core.cli.options import FILE, FOLDER, scheduler_option
from glass_core.cli.progress import console_bar
from glass_core.errors import require_training_packages


@click.command("pairs")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder for the pairs; give it again to continue after a kill.",
)
@click.option(
    "--given",
    type=FILE,
    help="Parquet table of near-identical pairs with coordinates "
    "of their own, labelled beside those drawn.",
)
@click.option(
    "--listed",
    type=FILE,
    help="Table of two chain ids and a TM-score (as TM-Vec was "
    "trained on): label these pairs in place of drawn ones.",
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="QUERY",
    help="Pandas query; rows of a table that match are left out. May be repeated.",
)
@click.option(
    "--per-bin",
    type=click.IntRange(0),
    default=3000,
    show_default=True,
    help="Fold pairs wanted per TM-score bin on the training side.",
)
@click.option(
    "--cap",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Most fold pairs of one group.",
)
@click.option("--rounds", type=click.IntRange(1), default=40, show_default=True)
@click.option(
    "--chunk", type=click.IntRange(1), default=64, show_default=True, help="Pairs per shard."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Processes; by default one per core.")
@scheduler_option
def pairs_command(
    source: Path,
    out: Path,
    given: Path | None,
    listed: Path | None,
    leave_out: tuple[str, ...],
    per_bin: int,
    cap: int,
    rounds: int,
    chunk: int,
    seed: int,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Label pairs of chains of SOURCE with TM-score and lDDT.

    SOURCE is a folder of structure files, or a Parquet table with the columns id,
    sequence and ca, and where known split_group and cluster40.
    """
    require_training_packages("training", "distributed")
    import pandas as pd

    from glass_core.compute import dask_runner
    from glass_core.training.data.chains import read_chains
    from glass_core.training.data.pairs import (
        PairPlan,
        build_pairs,
        read_listed,
        read_shards,
        with_sides,
    )

    rejected: list[str] = []
    chains = read_chains(source, rejected.append, leave_out)
    for reason in rejected:
        click.echo(f"left out: {reason}", err=True)
    facing = None
    if given is not None:
        facing = with_sides(pd.read_parquet(given), chains)
    with dask_runner(scheduler, workers) as run, console_bar("labelling pairs") as bar:
        shards = build_pairs(
            chains,
            out,
            PairPlan(per_bin, cap, chunk, rounds=rounds, seed=seed),
            run,
            given=facing,
            listed=None if listed is None else read_listed(listed),
            tell=bar.rate,
        )
    labelled = read_shards(shards, columns=["side", "kind", "tm"])
    counts = labelled.groupby(["side", "kind"], sort=True)["tm"].agg(["size", "median"])
    click.echo(counts.rename(columns={"size": "pairs", "median": "median TM"}).to_string())
    if rejected:
        click.echo(f"{len(rejected)} chain(s) were left out, see above.", err=True)
