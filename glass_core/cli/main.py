"""The command line: parse, check, one call, present.

Exit codes: 0 done, 2 bad input or something missing, 3 partly failed.
Results go to standard output, progress and errors to standard error.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import glass_core
from glass_core.cli.progress import console_bar
from glass_core.cli.screen import screen_command
from glass_core.cli.sources import fetch_command, looked_up, source_options
from glass_core.cli.training import (
    build_pairs_command,
    evaluate_command,
    train_command,
    train_effect_command,
    train_fold_command,
)
from glass_core.errors import GlassError
from glass_core.settings import Settings

if TYPE_CHECKING:
    from glass_core.impact.record import Impact

# Everything heavy is imported inside the commands, so that --help answers at once.

_BAD_INPUT = 2


class _Commands(click.Group):
    """Turns every `GlassError` into one line on standard error and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GlassError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(_BAD_INPUT)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(glass_core.__version__, prog_name="GLASS")
def main() -> None:
    """GLASS: what a mutation does to a protein's structure."""


@main.command()
@click.option(
    "--wild",
    default="",
    help="Wild type: sequence, FASTA text, or a file with either. "
    "May be left out when --structure is given.",
)
@click.option(
    "--variant",
    default="",
    help="For example R175H, p.Arg175His, A1P:D2N, F508del; "
    "after an accession it may stand alone, 'P04637 R175H'.",
)
@click.option(
    "--mutant", default="", help="The whole mutant sequence (text or file), in place of --variant."
)
@click.option(
    "--structure",
    type=click.Path(path_type=Path),
    help="Wild-type structure: mmCIF, PDB or BinaryCIF, also gzip'd.",
)
@click.option("--chain", help="Chain of --structure; needed when it has several.")
@click.option(
    "--follow",
    type=click.Choice(["sequence", "structure"]),
    default="sequence",
    show_default=True,
    help="Whose residue the wild type has where the two differ.",
)
@click.option(
    "--assembly",
    is_flag=True,
    help="Contacts with the chains of the biological assembly, in place of those of the file.",
)
@source_options
@click.option(
    "--mutant-structure",
    type=click.Path(path_type=Path),
    help="A mutant structure of your own, in place of --remodel.",
)
@click.option("--mutant-chain", help="Chain of --mutant-structure.")
@click.option(
    "--remodel",
    "backend",
    metavar="BACKEND",
    help="Remodel the mutant with openmm or modeller, and measure it.",
)
@click.option(
    "--protocol", type=click.Choice(["minimise", "anneal"]), default="minimise", show_default=True
)
@click.option(
    "--sphere-radius",
    type=click.FloatRange(min=0, min_open=True),
    default=100.0,
    show_default=True,
    help="Å around the mutated residues that may move.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Number of remodelled replicates.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=1800.0,
    show_default=True,
    help="Seconds one replicate may take.",
)
@click.option(
    "--correspondence",
    type=click.Choice(["tmalign", "sequence"]),
    default="tmalign",
    show_default=True,
    help="What pairs the residues in measurements.",
)
@click.option("--model", default="compact", show_default=True, help="See the command 'models'.")
@click.option("--device", help="auto, cpu, cuda or cuda:1.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a summary.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for all exports: CSV, JSON, report, superposition.",
)
def impact(
    wild: str,
    variant: str,
    mutant: str,
    structure: Path | None,
    chain: str | None,
    follow: Any,
    assembly: bool,
    accession: str,
    numbering: Any,
    mutant_structure: Path | None,
    mutant_chain: str | None,
    backend: str | None,
    protocol: Any,
    sphere_radius: float,
    seeds: int,
    timeout: float,
    correspondence: Any,
    model: str,
    device: str | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Predict what a variant does and, on request, remodel and measure it."""
    from glass_core.inputs.analysis import AnalysisRequest, read_analysis
    from glass_core.inputs.upload import Upload, text_or_file
    from glass_core.protein.written import take_apart

    settings = _settings(device)
    if not (wild or structure or accession):
        written = take_apart(variant)
        if written.accession is not None:
            accession, variant = str(written.accession), written.rest
    annotation, given = looked_up(accession, structure, settings)
    if assembly and given is not None:
        given = replace(given, neighbours="assembly")
    request = AnalysisRequest(
        wild=text_or_file(wild),
        variant=variant,
        mutant=text_or_file(mutant) if mutant else "",
        structure=given,
        chain=chain,
        numbering=numbering,
        annotation=annotation,
        follow=follow,
        mutant_structure=Upload.from_path(mutant_structure) if mutant_structure else None,
        mutant_chain=mutant_chain,
    )
    inputs = read_analysis(request)
    from glass_core.impact.analyse import analyse
    from glass_core.models.registry import load_predictor
    from glass_core.remodel import get_remodeller
    from glass_core.remodel.base import RemodelSettings

    remodeller = get_remodeller(backend) if backend else None
    with console_bar("loading the model") as bar:
        result = analyse(
            inputs.protein,
            inputs.variant,
            predictor=load_predictor(settings, model),
            remodeller=remodeller,
            settings=RemodelSettings(
                protocol=protocol, sphere_radius=sphere_radius, timeout_s=timeout
            ),
            seeds=seeds,
            mutant_structure=inputs.mutant_structure,
            correspondence=correspondence,
            progress=bar.stage,
        )
    if out is not None:
        _write_exports(result, out, settings)
    if as_json:
        from glass_core.impact.as_json import to_json

        click.echo(to_json(result))
    else:
        _print_summary(result)


@main.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("subject", type=click.Path(path_type=Path))
@click.option("--reference-chain", help="Needed when REFERENCE has several protein chains.")
@click.option("--subject-chain", help="Needed when SUBJECT has several protein chains.")
@click.option(
    "--correspondence",
    type=click.Choice(["tmalign", "sequence"]),
    default="tmalign",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a summary.")
def measure(
    reference: Path,
    subject: Path,
    reference_chain: str | None,
    subject_chain: str | None,
    correspondence: Any,
    as_json: bool,
) -> None:
    """Measure how SUBJECT differs from REFERENCE (two structure files)."""
    from glass_core.impact.as_json import measurement_dict
    from glass_core.metrics.measure import measure as measure_structures
    from glass_core.protein.structure.file import read_structure

    result = measure_structures(
        read_structure(reference, chain=reference_chain),
        read_structure(subject, chain=subject_chain),
        correspondence=correspondence,
    )
    if as_json:
        click.echo(json.dumps(measurement_dict(result), allow_nan=False))
        return
    alignment = result.alignment
    click.echo(
        f"TM-score {alignment.tm_score:.4f} by the reference, "
        f"{alignment.tm_score_by_subject:.4f} by the subject"
    )
    click.echo(
        f"RMSD {alignment.rmsd:.2f} Å over {alignment.aligned_length} residues, "
        f"sequence identity {alignment.sequence_identity:.3f}"
    )
    click.echo(f"mean lDDT {result.mean_lddt:.4f} (C-alpha, inverse-cubic, by the reference)")
    click.echo("\n".join((alignment.reference_row, alignment.match_row, alignment.subject_row)))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def models(as_json: bool) -> None:
    """List the models: which can be used here, and how to get the others."""
    from glass_core.embedders.prott5 import weights_command
    from glass_core.models.registry import list_models

    settings = _settings(None)
    entries = list_models(settings)
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "name": entry.name,
                        "embedder": entry.embedder,
                        "version": entry.card.version if entry.card else None,
                        "available": entry.unavailable_reason is None,
                        "reason": entry.unavailable_reason,
                        "card": entry.card.content if entry.card else None,
                    }
                    for entry in entries
                ]
            )
        )
        return
    for entry in entries:
        state = "ready" if entry.unavailable_reason is None else entry.unavailable_reason
        click.echo(f"{entry.name:<20} {entry.embedder:<10} {state}")
    click.echo(
        f"\nModels of your own go into {settings.models} (a folder with a card, or a GLASS "
        "checkpoint file)."
    )
    click.echo(f"ProtT5 weights, for those that need them: {weights_command()}")


@main.command()
@click.argument("sequence")
@click.option(
    "--embedder", type=click.Choice(["compact", "prott5"]), default="compact", show_default=True
)
@click.option("--device", help="auto, cpu, cuda or cuda:1.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="NumPy archive (.npz) to write: one array of shape (L, D) per sequence.",
)
def embed(sequence: str, embedder: str, device: str | None, out: Path) -> None:
    """Embed SEQUENCE (text, or a FASTA file with any number of records)."""
    import numpy as np

    from glass_core.inputs.upload import text_or_file
    from glass_core.models.registry import load_embedder
    from glass_core.protein.sequence import read_sequences

    records = read_sequences(text_or_file(sequence))
    with console_bar("embedding") as bar:
        source = load_embedder(_settings(device), embedder)
        made = source.embed(
            [r.residues for r in records], lambda done, of: bar.stage("embedding", done / of)
        )
    names = [record.name or f"sequence_{n}" for n, record in enumerate(records, start=1)]
    arrays: dict[str, Any] = {
        f"{n:04d}": embedding.residues.numpy() for n, embedding in enumerate(made, start=1)
    }
    try:
        np.savez_compressed(out, names=np.array(names), embedder=np.array(source.name), **arrays)
    except OSError as error:
        raise GlassError(f"{out}: cannot be written ({error.strerror}).") from error
    click.echo(f"{len(made)} embedding(s) of width {source.dim} by {source.name} in {out}")


main.add_command(screen_command)
main.add_command(fetch_command)
main.add_command(build_pairs_command)
main.add_command(train_command)
main.add_command(train_fold_command)
main.add_command(train_effect_command)
main.add_command(evaluate_command)


def _settings(device: str | None) -> Settings:
    return Settings.from_environment().on(device)


def _write_exports(result: Impact, out: Path, settings: Settings) -> None:
    from glass_core.report.impact.exports import exports
    from glass_core.report.viewer import read_script

    try:
        out.mkdir(parents=True, exist_ok=True)
        for export in exports(result, read_script(settings.assets)):
            (out / export.file_name).write_text(export.make(), encoding="utf-8")
            click.echo(f"wrote {out / export.file_name}", err=True)
    except OSError as error:
        raise GlassError(f"{out}: cannot be written ({error.strerror}).") from error


def _print_summary(result: Impact) -> None:
    from glass_core.report.impact.verdict import verdict

    said = verdict(result)
    click.echo(said.headline)
    for sentence in said.sentences:
        click.echo(f"  {sentence}")
    for flag in result.flags:
        click.echo(f"  ! {flag}")
    for part in result.subdomains[:5]:
        figures = [("mean deficit", part.mean_deficit, part.p_value)]
        if result.measured:
            figures.append(("mean strain", part.mean_strain, part.strain_p_value))
        click.echo(
            f"  {part.name}: "
            + "; ".join(
                f"{name} {mean:.4f}" + ("" if p != p else f", p {p:.3f}")
                for name, mean, p in figures
            )
        )
