"""The step that makes the database which comes with the project."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from glass_core.cli.options import FILE, FOLDER, device_option, model_option, settings_on
from glass_core.cli.progress import console_bar


@click.command("database")
@click.argument("chains", type=FILE)
@click.argument("folds", type=FILE)
@click.option("--out", type=FOLDER, required=True, help="Such as assets/database.")
@model_option
@device_option
def search_database_command(
    chains: Path, folds: Path, out: Path, model: str, device: str | None
) -> None:
    """Make the database of experimental CHAINS (Parquet), with their classes from FOLDS."""
    from glass_core.search.building import Building, build
    from glass_core.search.packing import pack
    from glass_core.training.data.search_chains import LICENCE, experimental_entries

    entries = list(experimental_entries(chains, folds))
    with TemporaryDirectory() as folder, console_bar("embedding") as bar:
        how = Building(settings_on(device), model, total=len(entries), tell=bar.rate)
        whole = build(
            entries,
            Path(folder) / "whole",
            how,
            licence=LICENCE,
            origin="chains of experimental structures",
        )
        made = pack(whole, out)
    click.echo(f"{len(made):,} chains in {out}")
