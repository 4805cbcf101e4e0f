"""The commands that find a protein's relatives and align two sequences."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

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
from glass_core.cli.writing import writing
from glass_core.errors import InputError, require_training_packages

_DEEPBLAST = click.option(
    "--deepblast",
    type=FILE,
    help="Align by this checkpoint of DeepBLAST, over the model's embeddings.",
)


@click.command("search")
@click.argument("query")
@click.option(
    "--database",
    "databases",
    type=FOLDER,
    multiple=True,
    help="By default the one that comes with GLASS. May be repeated: they are searched as one.",
)
@click.option("--top", type=int, default=20, show_default=True, help="Neighbours of each query.")
@click.option("--min-tm", type=float, help="Only those with at least this predicted TM-score.")
@click.option(
    "--align/--no-align",
    "aligned",
    default=True,
    show_default=True,
    help="Align candidates with the query and rank them by that; else their vectors rank them, "
    "which is faster and finds less.",
)
@_DEEPBLAST
@click.option("--site", type=int, help="Position whose residue is told in each neighbour.")
@click.option("--structure", type=FILE, help="The query's own, to confirm TM-scores by TM-align.")
@click.option("--chain", help="Chain of --structure; needed when it has several.")
@click.option("--out", type=FILE, help="File to write: .tsv, .csv, .json, .parquet or .a3m.")
@model_option
@device_option
@scheduler_option
@json_option
def search_command(
    query: str,
    databases: tuple[Path, ...],
    top: int,
    min_tm: float | None,
    aligned: bool,
    deepblast: Path | None,
    site: int | None,
    structure: Path | None,
    chain: str | None,
    out: Path | None,
    model: str,
    device: str | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Find proteins that probably share the fold of QUERY (text, or FASTA with any number).

    Prints a table whose first columns are those of TM-Vec. TM-scores are predicted unless they
    stand under 'confirmed'.
    """
    from glass_core.compute import dask_runner, run_here
    from glass_core.inputs.upload import text_or_file
    from glass_core.progress import Watch
    from glass_core.protein.sequence import read_sequences
    from glass_core.protein.structure.file import read_structure
    from glass_core.search.neighbours import FEWEST_RESIDUES, short_query
    from glass_core.search.shards import SearchRequest, search_each
    from glass_core.search.written import SUFFIXES, as_json_text, as_tsv, write_neighbours

    if out is not None and out.suffix not in SUFFIXES:
        raise InputError(f"{out.name}: give a name that ends in {', '.join(SUFFIXES)}.")
    if not aligned and (site is not None or deepblast is not None):
        raise InputError("--no-align: there is no --site and no --deepblast without alignments.")
    if scheduler is not None:
        require_training_packages("--scheduler", "distributed")
    queries = read_sequences(text_or_file(query))
    shortest = min(len(one.residues) for one in queries)
    if site is not None and not 1 <= site <= shortest:
        raise InputError(f"site {site}: give a position from 1 to {shortest}, of the query.")
    own = None if structure is None else read_structure(structure, chain=chain)
    request = SearchRequest(tuple(queries), model, top, min_tm, aligned, deepblast, own)
    with (
        nullcontext(run_here) if scheduler is None else dask_runner(scheduler) as runner,
        console_bar("searching") as bar,
    ):
        found = search_each(
            request,
            databases or (None,),
            settings_on(device),
            runner=runner,
            watch=Watch(bar.stage),
        )
    for one in queries:
        if len(one.residues) < FEWEST_RESIDUES:
            click.echo(short_query(one.residues), err=True)
    if out is not None:
        with writing(out):
            write_neighbours(out, queries, found, site)
        click.echo(f"{sum(map(len, found))} neighbours in {out}", err=True)
    elif as_json:
        click.echo(as_json_text(found, site))
    else:
        click.echo(as_tsv(found, site), nl=False)


@click.command("align")
@click.argument("first")
@click.argument("second")
@_DEEPBLAST
@model_option
@device_option
@json_option
def align_command(
    first: str, second: str, deepblast: Path | None, model: str, device: str | None, as_json: bool
) -> None:
    """Align FIRST and SECOND (sequences, or FASTA files of one) by their embeddings."""
    from glass_core.inputs.upload import text_or_file
    from glass_core.models.registry import load_predictor
    from glass_core.protein.sequence import read_sequence
    from glass_core.search.aligners import aligner_of
    from glass_core.search.rows import alignment_dict

    query, target = (read_sequence(text_or_file(one)) for one in (first, second))
    predictor = load_predictor(settings_on(device), model)
    aligner = aligner_of(predictor, deepblast)
    (made,) = aligner.align(query.residues, [target.residues])
    vectors = predictor.vectors([query.residues, target.residues])
    tm_score = float(min(max(vectors[0] @ vectors[1], 0.0), 1.0))
    if as_json:
        told = {"tm_score": tm_score, "aligner": aligner.name, **alignment_dict(made)}
        click.echo(json.dumps(told, allow_nan=False))
        return
    click.echo(f"predicted TM-score {tm_score:.3f} by {predictor.info}")
    click.echo(
        f"{len(made)} pairs, identity {made.identity:.3f}, coverage {made.coverage:.3f}, score "
        f"{made.normalised_score:.3f} by {aligner.name}"
    )
    for begin in range(0, len(made.rows[0]), 80):
        for row in made.rows:
            click.echo(row[begin : begin + 80])
        click.echo()
