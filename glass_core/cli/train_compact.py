"""The steps, beside the heads, that make the compact model: data, encoder, card."""

from __future__ import annotations

import json
from pathlib import Path

import click

from glass_core.cli.options import FILE, FOLDER, together
from glass_core.errors import require_training_packages

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder of the public data.",
)
work_option = click.option(
    "--work", type=FOLDER, required=True, help="Folder for what the steps leave each other."
)
pace_options = together(
    click.option("--steps", type=int, help="Optimiser steps, in place of the preset's."),
    click.option("--threads", type=int, default=2, show_default=True, help="CPU threads."),
)


@click.command("corpus")
@data_option
@work_option
@click.option("--out", type=FILE, required=True, help="The split lists to write, split.json.")
@click.option("--threads", type=int, default=2, show_default=True, help="Of MMseqs2.")
def corpus_command(data: Path, work: Path, out: Path, threads: int) -> None:
    """Write the split lists and all that is fit to train the encoder on.

    WORK gets corpus.parquet, unpaired.parquet, proteins.parquet and secondary-test.parquet.
    """
    from glass_core.training.data.corpus import write_corpus

    lists = write_corpus(data, work, out, threads)
    click.echo(json.dumps({k: lists[k] for k in ("chains", "proteins", "kept", "left_out")}))


@click.command("assays")
@data_option
@work_option
def assays_command(data: Path, work: Path) -> None:
    """Write WORK/effects.parquet: measured effects and clinical labels.

    WORK must hold proteins.parquet, from the step corpus.
    """
    from glass_core.training.data.assays import write_assays

    table = write_assays(data, work)
    click.echo(table.groupby(["kind", "side"])["assay"].agg(["nunique", "size"]).to_string())


@click.command("alignments")
@data_option
@work_option
@click.option("--out", type=FOLDER, required=True, help="Folder for one alignment per wild type.")
@click.option("--threads", type=int, default=2, show_default=True, help="Of MMseqs2.")
def alignments_command(data: Path, work: Path, out: Path, threads: int) -> None:
    """Align homologues to the wild types of WORK/effects.parquet, for the step combined.

    WORK must hold effects.parquet, from the step assays.
    """
    from glass_core.training.data.alignments import write_alignments

    count = write_alignments(data, work, out, threads, lambda words: click.echo(words, err=True))
    click.echo(f"{count:,} alignments in {out}")


@click.command("encoder")
@work_option
@pace_options
def encoder_command(work: Path, steps: int | None, threads: int) -> None:
    """Train the encoder; WORK/encoder.pt is the checkpoint and the result.

    WORK must hold corpus.parquet, from the step corpus.
    """
    require_training_packages("training", "lightning_fabric")
    from glass_core.training.encoder import train_encoder

    train_encoder(work, steps, threads)


@click.command("tune")
@data_option
@work_option
@pace_options
def tune_command(data: Path, work: Path, steps: int | None, threads: int) -> None:
    """Finish the encoder; WORK/tune.pt is the checkpoint, WORK/encoder the result.

    WORK must hold corpus.parquet, effects.parquet and encoder.pt, from the steps corpus,
    assays and encoder.
    """
    require_training_packages("training", "lightning_fabric")
    from glass_core.training.tune import tune_encoder

    tune_encoder(data, work, steps, threads)


@click.command("card")
@click.option("--model", type=FOLDER, required=True, help="The model, evaluated already.")
@click.option(
    "--words",
    type=FILE,
    required=True,
    help="JSON with licence, size, trained_on, limits and max_length.",
)
def card_command(model: Path, words: Path) -> None:
    """Finish the card of MODEL: words of yours, and the figures of its evaluation records."""
    from glass_core.training.evaluation.run import write_words

    card = write_words(model, json.loads(words.read_text(encoding="utf-8")))
    click.echo(f"{card.name} {card.version}: {', '.join(card.content['held_out'])}")
