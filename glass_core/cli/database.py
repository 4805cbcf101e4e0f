"""The commands that make databases for the search."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glass_core.cli.options import (
    FILE,
    FOLDER,
    device_option,
    json_option,
    model_option,
    scheduler_option,
    settings_on,
)
from glass_core.cli.progress import console_bar

if TYPE_CHECKING:
    from glass_core.search.database import Database

_INPUT = click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
_OUT = click.option("--out", type=FOLDER, required=True, help="Folder of the database.")
_MAX_LENGTH = click.option(
    "--max-length", type=click.IntRange(1), help="Leave longer sequences out, and say how many."
)
Making = Callable[..., "Database"]


@click.group("database")
def database_group() -> None:
    """Make and look at databases of proteins, which 'search' goes through."""


@database_group.command("build")
@_INPUT
@_OUT
@model_option
@_MAX_LENGTH
@click.option("--licence", default="", help="Of what goes in; kept in the database.")
@device_option
@scheduler_option
def build_command(
    source: Path,
    out: Path,
    model: str,
    max_length: int | None,
    licence: str,
    device: str | None,
    scheduler: str | None,
) -> None:
    """Make a database of INPUT.

    INPUT is FASTA, a Parquet table with the columns 'id' and 'sequence', a folder of structures,
    or a list of accessions, one a line. Given again after a stop, it goes on where it stopped.
    """
    from glass_core.search.building import build

    making = partial(build, folder=out, licence=licence, origin=source.name)
    _made(making, source, model, max_length, device, scheduler)


@database_group.command("add")
@click.argument("database", type=FOLDER)
@_INPUT
@_MAX_LENGTH
@device_option
@scheduler_option
def add_command(
    database: Path, source: Path, max_length: int | None, device: str | None, scheduler: str | None
) -> None:
    """Put INPUT into DATABASE, too; with the model that made it."""
    from glass_core.search.building import add
    from glass_core.search.database import Database

    there = Database.open(database)
    _made(partial(add, there), source, there.meta.model.name, max_length, device, scheduler)


@database_group.command("merge")
@click.argument("databases", nargs=-1, required=True, type=FOLDER)
@_OUT
def merge_command(databases: tuple[Path, ...], out: Path) -> None:
    """Make one database of several that the same model made."""
    from glass_core.search.building import merge
    from glass_core.search.database import Database

    _tell(merge([Database.open(one) for one in databases], out))


@database_group.command("import")
@click.argument("vectors", type=FILE)
@click.argument("headers", type=FILE, required=False)
@_OUT
@click.option("--model", required=True, help="What made the vectors; the files do not say.")
@click.option("--fasta", type=FILE, help="The sequences they were made of, in the same order.")
@device_option
def import_command(
    vectors: Path,
    headers: Path | None,
    out: Path,
    model: str,
    fasta: Path | None,
    device: str | None,
) -> None:
    """Take over a database of TM-Vec: db.npy with meta.npy, or the .npz of its fork."""
    from glass_core.models.registry import load_predictor
    from glass_core.search.tmvec_database import take_over

    predictor = load_predictor(settings_on(device), model)
    _tell(take_over(vectors, headers, out, predictor, fasta))


@database_group.command("pack")
@click.argument("database", type=FOLDER)
@_OUT
def pack_command(database: Path, out: Path) -> None:
    """Write DATABASE in half the room: single bytes in place of halves."""
    from glass_core.search.database import Database
    from glass_core.search.packing import pack

    _tell(pack(Database.open(database), out))


@database_group.command("index")
@click.argument("database", type=FOLDER)
def index_command(database: Path) -> None:
    """Build an index of DATABASE, for more than a million entries; say how good it is."""
    from glass_core.search.database import Database
    from glass_core.search.index import build_index
    from glass_core.search.shared_words import keep_words

    there = Database.open(database)
    with console_bar("indexing") as bar:
        found = build_index(there, bar.rate)
        bar.stage("sorting words", 1.0)
        keep_words(there)
    click.echo(
        f"{found.path}: finds {found.recall:.3f} of the ten nearest of {found.queries} entries in "
        f"{found.probed} of {found.clusters} clusters, "
        f"{1000 * found.seconds:.1f} ms a query; exact search takes "
        f"{1000 * found.exact_seconds:.1f} ms"
    )


@database_group.command("info")
@click.argument("database", type=FOLDER, required=False)
@json_option
def info_command(database: Path | None, as_json: bool) -> None:
    """Say what DATABASE holds; without it, the one that comes with GLASS."""
    import json
    from dataclasses import asdict

    from glass_core.search.packing import open_database

    found = open_database(database, settings_on(None))
    if as_json:
        content = asdict(found.meta)
        del content["scales"]
        click.echo(json.dumps(content, allow_nan=False))
        return
    _tell(found)


def _made(
    make: Making,
    source: Path,
    model: str,
    max_length: int | None,
    device: str | None,
    scheduler: str | None,
) -> None:
    """Read INPUT, make of it what `make` does, and say what was left out."""
    from glass_core.compute import dask_runner, run_here
    from glass_core.errors import require_training_packages
    from glass_core.search.building import Building
    from glass_core.search.entry import LeftOut
    from glass_core.search.reading import count_entries, read_entries
    from glass_core.sources.fetch import Fetcher

    if scheduler is not None:
        require_training_packages("--scheduler", "distributed")
    settings, left_out = settings_on(device), LeftOut()
    entries = read_entries(source, left_out, fetcher=Fetcher(settings), most=max_length)
    with (
        nullcontext(run_here) if scheduler is None else dask_runner(scheduler) as runner,
        console_bar("embedding") as bar,
    ):
        how = Building(settings, model, runner, count_entries(source), bar.rate)
        made = make(entries, how=how, left_out=left_out)
    for line in left_out.lines():
        click.echo(line, err=True)
    _tell(made)


def _tell(made: Database) -> None:
    meta = made.meta
    kind = "single bytes" if meta.scales else "half precision"
    click.echo(f"{made.folder}: {meta.count:,} sequences, {meta.residues:,} residues")
    click.echo(
        f"vectors: {meta.dimension} numbers in {kind}, by {meta.model} ({meta.model.pooling})"
    )
    click.echo(f"made on {meta.created}" + (f", of {meta.origin}" if meta.origin else ""))
    if meta.licence:
        click.echo(f"licence: {meta.licence}")
    for reason, number in meta.left_out.items():
        click.echo(f"left out {number:,}: {reason}")
    if meta.renamed:
        click.echo(f"renamed {meta.renamed:,}: an earlier one had the id with another sequence")
