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


@click.command("relatives")
@click.argument("chains", type=FILE)
@click.option("--folds", type=FILE, help="Parquet table of their classes: id, scheme, superfamily.")
@click.option("--out", type=FILE, required=True, help="Table that 'pairs --listed' takes.")
@model_option
@device_option
def relatives_command(
    chains: Path, folds: Path | None, out: Path, model: str, device: str | None
) -> None:
    """List pairs of CHAINS that may be related, for the step pairs, and then alignment."""
    import pandas as pd

    from glass_core.models.registry import load_predictor
    from glass_core.training.data.chains import read_chains
    from glass_core.training.data.relatives import likely_relatives

    table = read_chains(chains, lambda words: click.echo(words, err=True))
    families = None if folds is None else pd.read_parquet(folds)
    with console_bar("embedding") as bar:
        predictor = load_predictor(settings_on(device), model)
        vectors = predictor.vectors(
            list(table["sequence"]), lambda done, of: bar.stage("embedding", done / of)
        )
    made = likely_relatives(table, vectors, families)
    made.to_csv(out, sep="\t", index=False)
    click.echo(f"{len(made):,} pairs in {out}")


@click.command("fold-chance")
@click.argument("chains", type=FILE)
@click.option("--model", type=FOLDER, required=True, help="Folder of the model it is of.")
@device_option
def fold_chance_command(chains: Path, model: Path, device: str | None) -> None:
    """Count how often near CHAINS share a fold, by the model's scores: of vectors, of alignments.

    Counted on the chains of the validation side; how far off it is, on those of the test side.
    """
    from glass_core.models.fold_chance import FoldChances
    from glass_core.models.registry import load_predictor
    from glass_core.search.aligners import aligner_of
    from glass_core.search.building import Building
    from glass_core.training.data.chains import read_chains
    from glass_core.training.fold_chance import calibration_error, chain_database, fit, near_pairs

    table = read_chains(chains, lambda words: click.echo(words, err=True))
    settings, model = settings_on(device), model.resolve()
    with TemporaryDirectory() as folder, console_bar("counting") as bar:
        predictor = load_predictor(settings, model)
        aligner = aligner_of(predictor)
        how = Building(settings, model, total=len(table), tell=bar.rate)
        database = chain_database(table, Path(folder) / "chains", how)
        made = []
        for ranks in (None, aligner):

            def tell(done: int, of: int) -> None:
                bar.stage("superposing", done / of)

            chance = fit(near_pairs(table, "validation", database, predictor, ranks, tell))
            held = near_pairs(table, "test", database, predictor, ranks, tell)
            chance.counted["calibration error"] = round(calibration_error(chance, held), 4)
            made.append(chance)
    FoldChances(made[0], made[1], aligner.name).write(model)
    for words, chance in zip(("predicted TM-scores", "alignments"), made, strict=True):
        error = chance.counted["calibration error"]
        click.echo(f"{words}: counted {chance.counted['pairs']:,} pairs, {error} off on the others")
