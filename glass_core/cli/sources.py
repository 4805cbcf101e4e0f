"""What an accession leads to: the command fetch, and --accession of other commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from glass_core.cli.options import FOLDER, json_option, settings_on
from glass_core.cli.writing import writing
from glass_core.errors import InputError, shown

if TYPE_CHECKING:
    from glass_core.inputs.upload import Upload
    from glass_core.protein.annotation import Annotation
    from glass_core.settings import Settings
    from glass_core.sources.lookup import Found


def looked_up(
    accession: str, structure: Path | None, settings: Settings
) -> tuple[Annotation | None, Upload | None]:
    """What `accession` led to; a structure file of the user's own goes before the model's."""
    from glass_core.inputs.upload import Upload

    own = Upload.from_path(structure) if structure else None
    if not accession:
        return None, own
    entry = _find(accession, settings)
    for note in entry.notes:
        click.echo(f"! {note}", err=True)
    return entry.annotation, own or Upload.if_any(entry.structure, entry.structure_name)


@click.command("fetch")
@click.argument("accession")
@click.option(
    "--out", type=FOLDER, default=Path(), help="Folder for the files; the current one by default."
)
@json_option
def fetch_command(accession: str, out: Path, as_json: bool) -> None:
    """Look an accession up and write what was found: sequence, structure, known variants."""
    import json

    from glass_core.protein.protein import Protein
    from glass_core.report.impact.annotation import known_variant_table
    from glass_core.report.impact.tables import without_formulas

    entry = _find(accession, settings_on())
    name, known = str(entry.accession), entry.annotation
    files: dict[str, bytes] = {}
    if entry.structure is not None:
        files[f"{name}.cif"] = entry.structure
    if known is not None:
        files[f"{name}.fasta"] = known.fasta.encode()
        table = known_variant_table(Protein.from_sequence(known.sequence).annotated(known))
        files[f"{name}-variants.csv"] = without_formulas(table).to_csv(index=False).encode()
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (out / file).write_bytes(content)
            click.echo(f"wrote {out / file}", err=True)
    for note in entry.notes:
        click.echo(f"! {note}", err=True)
    if as_json:
        from glass_core.protein.as_json import annotation_dict

        click.echo(
            json.dumps(
                {
                    "accession": name,
                    "annotation": annotation_dict(known),
                    "model": None if entry.model is None else str(entry.model),
                    "files": sorted(files),
                    "notes": list(entry.notes),
                }
            )
        )
    elif known is not None:
        click.echo(
            f"{known.title}: {len(known.sequence):,} residues, {len(known.features)} "
            f"features, {len(known.variants)} known variants; "
            f"{entry.model or 'no structure'}"
        )


def _find(text: str, settings: Settings) -> Found:
    from glass_core.protein.accession import read_accession
    from glass_core.protein.written import take_apart
    from glass_core.sources.fetch import Fetcher
    from glass_core.sources.lookup import look_up

    written = take_apart(text)
    if written.accession is not None and written.rest:
        raise InputError(
            f"accession '{shown(text)}': give '{shown(written.rest, 40)}' as the variant."
        )
    return look_up(written.accession or read_accession(text), Fetcher(settings))
