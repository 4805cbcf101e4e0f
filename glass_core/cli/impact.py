"""The command for one variant: predict, remodel, measure, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glass_core.cli.options import (
    FOLDER,
    alignment_option,
    correspondence_option,
    device_option,
    esm2_option,
    json_option,
    model_option,
    settings_on,
    source_options,
    structure_options,
)
from glass_core.cli.progress import console_bar
from glass_core.cli.sources import looked_up, named_entry
from glass_core.cli.writing import writing
from glass_core.errors import InputError

if TYPE_CHECKING:
    from glass_core.impact.record import Impact
    from glass_core.protein.structure.structure import Structure
    from glass_core.settings import Settings


@click.command("impact")
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
    "after an accession or a gene it may stand alone, 'TP53 R175H'; so may rs334 and "
    "HBB:c.20A>T.",
)
@click.option(
    "--mutant", default="", help="The whole mutant sequence (text or file), in place of --variant."
)
@structure_options
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
@alignment_option
@esm2_option
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
@correspondence_option
@click.option(
    "--predict-ranks",
    is_flag=True,
    help="Rank by predicted TM-scores of the site's substitutions and of random variants, one "
    "prediction each, in place of estimated ones.",
)
@model_option
@device_option
@json_option
@click.option(
    "--out", type=FOLDER, help="Folder for all exports: CSV, JSON, report, superposition."
)
def impact_command(
    wild: str,
    variant: str,
    mutant: str,
    structure: Path | None,
    chain: str | None,
    follow: Any,
    assembly: bool,
    accession: str,
    numbering: Any,
    msa: Path | None,
    esm2: Any,
    mutant_structure: Path | None,
    mutant_chain: str | None,
    backend: str | None,
    protocol: Any,
    sphere_radius: float,
    seeds: int,
    timeout: float,
    correspondence: Any,
    predict_ranks: bool,
    model: str,
    device: str | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Predict what a variant does and, on request, remodel and measure it."""
    from glass_core.inputs.analysis import AnalysisRequest, read_analysis
    from glass_core.inputs.upload import Upload, text_or_file

    settings = settings_on(device)
    if not (wild or structure or accession):
        named = named_entry(variant, settings)
        accession, variant, chain = named.accession, named.variant, chain or named.chain or None
        if named.numbering is not None and numbering == "sequence":
            numbering = named.numbering
    known = looked_up(accession, structure, msa, settings)
    given = known.structure
    if assembly and given is not None:
        given = replace(given, neighbours="assembly")
    request = AnalysisRequest(
        wild=text_or_file(wild),
        variant=variant,
        mutant=text_or_file(mutant) if mutant else "",
        structure=given,
        chain=chain,
        numbering=numbering,
        annotation=known.annotation,
        alignment=known.alignment,
        follow=follow,
        mutant_structure=Upload.from_path(mutant_structure) if mutant_structure else None,
        mutant_chain=mutant_chain,
    )
    inputs = read_analysis(request)
    protein = inputs.protein
    from glass_core.embedders.esm2_scores import with_esm2
    from glass_core.impact.analyse import analyse
    from glass_core.impact.baselines import affordable_background
    from glass_core.models.registry import load_predictor
    from glass_core.progress import Watch
    from glass_core.remodel import get_remodeller
    from glass_core.remodel.base import Remodelling, RemodelSettings

    if backend and inputs.mutant_structure is not None:
        raise InputError("give either --remodel or --mutant-structure, not both.")
    how: Remodelling | Structure | None = inputs.mutant_structure
    if backend:
        protocol_settings = RemodelSettings(
            protocol=protocol, sphere_radius=sphere_radius, timeout_s=timeout
        )
        how = Remodelling(
            get_remodeller(backend, settings.relaxed.expanduser()), seeds, protocol_settings
        )
    if esm2:
        with console_bar("loading ESM-2") as bar:
            protein = with_esm2(protein, esm2, settings, Watch(bar.stage))
    with console_bar("loading the model") as bar:
        predictor = load_predictor(settings, model)
        result = analyse(
            protein,
            inputs.variant,
            predictor=predictor,
            mutant=how,
            correspondence=correspondence,
            background=affordable_background(predictor, len(protein)) if predict_ranks else 0,
            watch=Watch(bar.stage),
        )
    if out is not None:
        _write_exports(result, out, settings)
    if as_json:
        from glass_core.impact.as_json import to_json

        click.echo(to_json(result))
    else:
        _print_summary(result)


def _write_exports(result: Impact, out: Path, settings: Settings) -> None:
    from glass_core.report.impact.exports import exports
    from glass_core.report.viewer import read_script

    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for export in exports(result, read_script(settings.assets)):
            if export.unavailable:
                click.echo(f"left out {export.file_name}: {export.unavailable}", err=True)
                continue
            click.echo(f"wrote {export.write(out)}", err=True)


def _print_summary(result: Impact) -> None:
    from glass_core.impact.evidence import agreement
    from glass_core.report.impact.evidence import explaining, value_words
    from glass_core.report.impact.verdict import verdict

    said = verdict(result)
    click.echo(said.headline)
    for one in result.evidence:
        rank = "" if one.percentile is None else f", percentile {one.percentile:.0f}"
        mark = " (external)" if one.whose == "external" else ""
        value = value_words(one)
        measure = f"{value}{rank}; " if value else ""
        click.echo(f"  {one.title}{mark}: {one.says} ({measure}{one.source})")
    for words in filter(None, [agreement(result.evidence)]):
        click.echo(f"  {words}")
    for check in explaining(result.checks):
        click.echo(f"  * {check.text}")
    for sentence in said.sentences:
        click.echo(f"  {sentence}")
    for flag in result.flags:
        click.echo(f"  ! {flag}")
    for part in result.subdomains[:5]:
        figures = [(f"mean {result.deficit_basis} deficit", part.mean_deficit, part.p_value)]
        if result.predicted_change is not None:
            figures.insert(0, ("mean predicted change", part.mean_change, part.change_p_value))
        if result.measured:
            figures.insert(0, ("mean strain", part.mean_strain, part.strain_p_value))
        told = [
            f"{name} {mean:.4f}" + ("" if p != p else f", p {p:.3f}")
            for name, mean, p in figures
            if mean == mean
        ]
        if told:
            click.echo(f"  {part.name}: {'; '.join(told)}")
