"""The screening command: many variants in, one table out, never lost on the way."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glass_core.cli.options import (
    FILE,
    PARTLY_FAILED,
    alignment_option,
    device_option,
    esm2_option,
    model_option,
    scheduler_option,
    settings_on,
    source_options,
    structure_options,
)
from glass_core.cli.progress import console_bar
from glass_core.cli.sources import looked_up
from glass_core.cli.writing import writing
from glass_core.errors import InputError, require_training_packages

if TYPE_CHECKING:
    from glass_core.inputs.choice import ChoiceKind, VariantChoice
    from glass_core.inputs.columns import ColumnChoice
    from glass_core.protein.numbering import NumberingKind
    from glass_core.runs.store import RunStore
    from glass_core.screen.goal import Goal

SUFFIXES = (".csv", ".parquet", ".json")


@click.command("screen")
@click.option(
    "--wild",
    default="",
    help="Wild type(s): sequence, FASTA text, or a file with "
    "either. May be left out when --structure is given.",
)
@click.option(
    "--variants",
    help="Variants: text such as 'R175H G245S', or a file: CSV, TSV, "
    "Parquet, one per line, or FASTA of mutant sequences.",
)
@click.option("--all", "everything", is_flag=True, help="All single substitutions.")
@click.option("--alanine", is_flag=True, help="Every residue to alanine, alanines to glycine.")
@click.option("--known", is_flag=True, help="The variants that databases list for --accession.")
@source_options
@click.option("--range", "span", help="Positions for --all and --alanine, such as 10-60.")
@click.option(
    "--column",
    help="Column of --variants that holds the variants, in place of the one that was guessed.",
)
@click.option("--score", help="Column of measured values; 'none' for no such column.")
@click.option("--label", help="Column of labels, damaging or tolerated; 'none' for no such column.")
@click.option(
    "--one-is-fit/--one-is-damaging",
    default=None,
    help="What 1 means in the column of labels; fit is guessed of DMS_score_bin alone.",
)
@click.option(
    "--damaging", multiple=True, metavar="WORD", help="A label that means damaging; repeatable."
)
@click.option(
    "--tolerated", multiple=True, metavar="WORD", help="A label that means tolerated; repeatable."
)
@click.option("--protein", help="Column that names the protein; 'none' for no such column.")
@structure_options
@alignment_option
@esm2_option
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="Table to write, FILE.csv, FILE.parquet or FILE.json; FILE-rejected.csv lies beside it.",
)
@click.option("--resume", is_flag=True, help="Take up the unfinished screen of the same input.")
@click.option(
    "--goal",
    type=click.Choice(["stability", "clinical", "any"]),
    default="any",
    show_default=True,
    help="What the screen is after; the ranking that does best at it by the model's records leads.",
)
@click.option(
    "--rank",
    "ranking",
    default=None,
    help="What --top goes by, in place of the goal's: p_combined, p_damaging, effect, ddg, "
    "alignment_log_odds, lddt_deficit, tm_deficit, blosum62, or an external score: "
    "alphamissense, esm2 or esm2_masked.",
)
@click.option(
    "--remodel",
    "backend",
    default="",
    metavar="BACKEND",
    help="Remodel and measure the top variants with openmm or modeller.",
)
@click.option(
    "--top",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="How many --remodel takes.",
)
@scheduler_option
@model_option
@device_option
def screen_command(
    wild: str,
    variants: str | None,
    everything: bool,
    alanine: bool,
    known: bool,
    accession: str,
    numbering: Any,
    span: str | None,
    column: str | None,
    score: str | None,
    label: str | None,
    one_is_fit: bool | None,
    damaging: tuple[str, ...],
    tolerated: tuple[str, ...],
    protein: str | None,
    structure: Path | None,
    chain: str | None,
    msa: Path | None,
    esm2: Any,
    out: Path,
    resume: bool,
    goal: Goal,
    ranking: str | None,
    backend: str,
    top: int,
    scheduler: str | None,
    model: str,
    device: str | None,
) -> None:
    """Score many variants of one or several proteins.

    Exit code 3 when some rows could not be read or failed; the others are done.
    """
    if out.suffix not in SUFFIXES:
        raise InputError(f"{out.name}: give a name that ends in .csv, .parquet or .json.")
    from glass_core.embedders.esm2_scores import with_esm2
    from glass_core.inputs.columns import ColumnChoice
    from glass_core.inputs.labels import plain_label
    from glass_core.inputs.proteins import read_proteins
    from glass_core.inputs.upload import text_or_file
    from glass_core.models.registry import load_predictor, records_of
    from glass_core.progress import Watch
    from glass_core.remodel import get_remodeller
    from glass_core.report.evidence.defaults import basis_of, best_ranking
    from glass_core.runs.screening import advance, begin, digest_of
    from glass_core.runs.store import RunStore
    from glass_core.screen.columns import RANKINGS, rankings_of
    from glass_core.screen.request import ScreenRequest

    if ranking is not None and ranking not in RANKINGS:
        raise InputError(f"rank '{ranking}': is no ranking; use {', '.join(RANKINGS)}.")
    if backend:
        get_remodeller(backend)
    if scheduler is not None:
        require_training_packages("--scheduler", "distributed")
    settings = settings_on(device)
    given = looked_up(accession, structure, msa, settings)
    annotation = given.annotation
    proteins = read_proteins(
        text_or_file(wild), given.structure, chain, annotation, given.alignment
    )
    if esm2:
        with console_bar("loading ESM-2") as bar:
            watch = Watch(bar.stage)
            proteins = [with_esm2(protein, esm2, settings, watch) for protein in proteins]
    options: dict[ChoiceKind, bool] = {"all": everything, "alanine": alanine, "known": known}
    words = (*((word, True) for word in damaging), *((word, False) for word in tolerated))
    meant = tuple((plain_label(word), means) for word, means in words)
    columns = ColumnChoice(column, protein, score, label, one_is_fit, meant)
    choice = _choice(options, variants, span, columns, numbering)
    if known and annotation is None:
        raise InputError("--known goes with --accession.")
    proteins = choice.counted(proteins)
    read = choice.read(proteins)
    for note in (*(note for protein in proteins for note in protein.notes), *read.notes):
        click.echo(note, err=True)
    asked = list(read.requests)
    if not asked:
        raise InputError("variants: there are none; give some, or --all.")
    store = RunStore(settings.runs)
    predictor = load_predictor(settings, model)
    offered = rankings_of(predictor.heads)
    if ranking is None:
        basis = basis_of(proteins, bool(predictor.info.structure_embedder))
        best = best_ranking(records_of(settings, model), goal, basis, offered)
        ranking = best.ranking
        click.echo(best.why, err=True)
    if ranking not in offered:
        raise InputError(
            f"rank '{ranking}': {predictor.info} does not tell it; use {', '.join(offered)}."
        )
    digest = digest_of(
        proteins, asked, predictor.info, ranking, backend, str(top if backend else 0)
    )
    begun = store.find(digest) if resume else None
    run = (
        begun.id
        if begun is not None
        else begin(
            store,
            ScreenRequest(
                tuple(proteins),
                f"command line, {out.name}",
                model,
                ranking,
                backend,
                top if backend else 0,
                goal=goal,
                choice=choice.kind,
                span=choice.span,
                text=choice.text,
            ),
            asked,
            predictor=predictor,
            digest=digest,
        )
    )
    verb = "begun" if begun is None else f"taken up, {begun.waiting:,} rows to go"
    click.echo(f"run {run}: {verb}", err=True)
    with console_bar("screening") as bar:
        if scheduler is None:
            advance(store, run, settings=settings, predictor=predictor, tell=bar.rate)
        else:
            from glass_core.compute import dask_runner

            with dask_runner(scheduler) as runner:
                advance(store, run, settings=settings, runner=runner, tell=bar.rate)
    total, bad = _write(store, run, out)
    click.echo(f"{total - bad:,} of {total:,} variants in {out}")
    if bad:
        click.echo(f"{bad:,} gave no result, see {_rejected(out)}", err=True)
        sys.exit(PARTLY_FAILED)


def _choice(
    options: dict[ChoiceKind, bool],
    variants: str | None,
    span: str | None,
    columns: ColumnChoice,
    numbering: NumberingKind,
) -> VariantChoice:
    """What the options mean together; `options`: those that stand for themselves."""
    from glass_core.inputs.choice import SCANS, VariantChoice

    kinds = [kind for kind, given in options.items() if given]
    if len(kinds) + (variants is not None) != 1:
        raise InputError("give one of --variants, --all, --alanine and --known.")
    if span and not set(kinds) & set(SCANS):
        raise InputError("--range goes with --all or --alanine.")
    if variants is not None:
        return VariantChoice.text_or_file(variants, columns, numbering)
    if columns:
        raise InputError("options about columns go with --variants.")
    return VariantChoice(kinds[0], span=span or "", numbering=numbering)


def _write(store: RunStore, run: str, out: Path) -> tuple[int, int]:
    """Write the table, and what gave no result; how many rows there are, and how many of those."""
    from glass_core.report.screen.exports import write_csv, write_json, write_parquet
    from glass_core.report.screen.tables import rejected_csv
    from glass_core.screen.rows import gave_nothing

    with writing(out, "the results are kept, give --resume with another --out"):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".parquet":
            with out.open("wb") as target:
                write_parquet(store.each_row(run), target)
        else:
            with out.open("w", encoding="utf-8", newline="") as target:
                (write_csv if out.suffix == ".csv" else write_json)(store.each_row(run), target)
        bad = [row for row in store.each_row(run) if gave_nothing(row)]
        if bad:
            _rejected(out).write_text(rejected_csv(bad), encoding="utf-8")
        else:
            _rejected(out).unlink(missing_ok=True)
    known = store.get(run)
    return (0 if known is None else known.total), len(bad)


def _rejected(out: Path) -> Path:
    return out.with_name(f"{out.stem}-rejected.csv")
