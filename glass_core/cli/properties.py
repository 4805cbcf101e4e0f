"""The command that tells properties of a protein, and what a variant changes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import (
    device_option,
    json_option,
    settings_on,
    source_options,
    structure_options,
)
from glass_core.cli.sources import looked_up


@click.command("properties")
@click.option(
    "--wild",
    default="",
    help="Sequence, FASTA text, or a file with either. May be left out when --structure is given.",
)
@click.option("--variant", default="", help="Such as R175H; without one only values are told.")
@structure_options
@source_options
@device_option
@json_option
def properties_command(
    wild: str,
    variant: str,
    structure: Path | None,
    chain: str | None,
    accession: str,
    numbering: Any,
    device: str | None,
    as_json: bool,
) -> None:
    """Tell enzyme class, function, melting temperature, quality of the structure and binding."""
    from glass_core.inputs.analysis import AnalysisRequest, read_analysis
    from glass_core.inputs.proteins import read_protein
    from glass_core.inputs.upload import text_or_file
    from glass_core.models.properties.registry import load_properties
    from glass_core.report.evidence.properties import property_caveats
    from glass_core.report.properties.tables import (
        CHANGES_BETWEEN,
        UNTESTED,
        VALUES_BETWEEN,
        as_rows,
        change_table,
        change_words,
        value_table,
    )

    settings = settings_on(device)
    known = looked_up(accession, structure, None, settings)
    text = text_or_file(wild)
    if variant:
        inputs = read_analysis(
            AnalysisRequest(
                wild=text,
                variant=variant,
                structure=known.structure,
                chain=chain,
                numbering=numbering,
                annotation=known.annotation,
            )
        )
        protein, changed = inputs.protein, inputs.variant
    else:
        protein, changed = read_protein(text, known.structure, chain, known.annotation), None
    model = load_properties(settings)
    told = model.tell(protein, changed)
    caveats = [one.words for one in property_caveats(settings)]
    if as_json:
        rows = as_rows(told, model.info, protein, changed, caveats)
        click.echo(json.dumps(rows, allow_nan=False))
        return
    if told.values:
        click.echo(value_table(told).drop(columns="meaning").to_string(index=False))
        click.echo(VALUES_BETWEEN)
    if told.changes:
        click.echo()
        click.echo(change_table(told).to_string(index=False))
        click.echo(change_words(told))
        click.echo(f"{CHANGES_BETWEEN} {UNTESTED}")
    if told.values:
        click.echo("\nHow well each of them is told:")
        for words in caveats:
            click.echo(f"- {words}")
    for note in told.notes:
        click.echo(f"! {note}", err=True)
