"""The steps of training that the search needs: its database, and what its scores mean."""

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


@click.command("fold-chance")
@click.argument("chains", type=FILE)
@click.option("--model", type=FOLDER, required=True, help="Folder of the model it is of.")
@device_option
def fold_chance_command(chains: Path, model: Path, device: str | None) -> None:
    """Count how often near CHAINS share a fold, by the model's predicted TM-score.

    Counted on the chains of the validation side; how far off it is, on those of the test side.
    """
    from glass_core.models.registry import load_predictor
    from glass_core.training.data.chains import read_chains
    from glass_core.training.fold_chance import calibration_error, chain_vectors, fit, near_pairs

    table = read_chains(chains, lambda words: click.echo(words, err=True))
    with console_bar("counting") as bar:
        predictor = load_predictor(settings_on(device), model.resolve())
        vectors = chain_vectors(
            predictor, list(table["sequence"]), lambda done, of: bar.stage("embedding", done / of)
        )

        def tell(done: int, of: int) -> None:
            bar.stage("aligning", done / of)

        chance = fit(near_pairs(vectors, table, "validation", progress=tell))
        held = near_pairs(vectors, table, "test", progress=tell)
    chance.counted["calibration error"] = round(calibration_error(chance, held), 4)
    chance.counted["held-out pairs"] = len(held.true)
    chance.write(model)
    click.echo(
        f"{chance.counted['pairs']:,} pairs counted; calibration error "
        f"{chance.counted['calibration error']:.3f} on {len(held.true):,} of the test side"
    )
