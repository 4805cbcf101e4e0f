"""What an accession leads to: the command fetch, and --accession of other commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glass_core.cli.options import FOLDER, json_option, settings_on
from glass_core.cli.writing import writing
from glass_core.errors import InputError, shown

if TYPE_CHECKING:
    from glass_core.inputs.upload import Upload
    from glass_core.protein.annotation import Annotation
    from glass_core.protein.numbering import NumberingKind
    from glass_core.protein.understood import Understood
    from glass_core.settings import Settings
    from glass_core.sources.candidates import Candidate
    from glass_core.sources.lookup import Found

ALPHAFOLD = Path("alphafold")
"""In place of an alignment's file: AlphaFold DB's."""
_MOST_SHOWN = 8


@dataclass(frozen=True)
class Given:
    """What a command's options about the wild type lead to, beside its sequence."""

    annotation: Annotation | None
    structure: Upload | None
    alignment: Path | Upload | None


def looked_up(
    accession: str, structure: Path | None, msa: Path | None, settings: Settings
) -> Given:
    """What `accession` led to; a structure file of the user's own goes before the model's.

    `msa` is a file, or `ALPHAFOLD` for the alignment behind the model.
    """
    from glass_core.inputs.upload import Upload

    own = Upload.from_path(structure) if structure else None
    asked = msa == ALPHAFOLD
    if not accession:
        if asked:
            raise InputError(f"--msa {ALPHAFOLD}: goes with the --accession of a UniProt entry.")
        return Given(None, own, msa)
    entry = _find(accession, settings)
    for note in entry.notes:
        click.echo(f"! {note}", err=True)
    model = Upload.if_any(entry.structure, entry.structure_name)
    alignment = _alignment(entry, settings) if asked else msa
    return Given(entry.annotation, own or model, alignment)


def _alignment(entry: Found, settings: Settings) -> Upload:
    from glass_core.inputs.upload import Upload
    from glass_core.sources.alphafold import alphafold_alignment
    from glass_core.sources.fetch import Fetcher

    if entry.model is None:
        raise InputError(
            f"--msa {ALPHAFOLD}: {entry.accession} has no model in AlphaFold DB; give a file."
        )
    content = alphafold_alignment(entry.model, Fetcher(settings))
    return Upload(content, entry.model.alignment_name)


@click.command("fetch")
@click.argument("accession")
@click.option(
    "--out", type=FOLDER, default=Path(), help="Folder for the files; the current one by default."
)
@json_option
def fetch_command(accession: str, out: Path, as_json: bool) -> None:
    """Look an accession or a gene up and write sequence, structure and known variants."""
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


@dataclass(frozen=True)
class Named:
    """An entry that a text names, with what stands beside it; no accession: it names none."""

    variant: str
    accession: str = ""
    chain: str = ""
    numbering: NumberingKind | None = None


def named_entry(text: str, settings: Settings) -> Named:
    """What ``P04637 R175H``, ``TP53 R175H``, ``rs334`` or ``HBB:c.20A>T`` lead to."""
    from glass_core.inputs.box import understand

    asked = understand(text)
    if not asked.asks_a_service:
        return Named(text)
    if asked.accession is not None:
        return Named(asked.variants, str(asked.accession), asked.chain)
    one, numbering = _chosen(asked, settings)
    return Named(one.variants, str(one.accession), "", numbering)


def _chosen(asked: Understood, settings: Settings) -> tuple[Candidate, NumberingKind | None]:
    """The one entry that is meant; a choice is left to the user."""
    from glass_core.sources.fetch import Fetcher
    from glass_core.sources.resolve import resolve

    resolved = resolve(asked, Fetcher(settings))
    for note in resolved.notes:
        click.echo(f"! {note}", err=True)
    if resolved.chosen is None:
        several = "; ".join(
            f"{one.accession} {one.variants}".strip() + f" ({one.title})"
            for one in resolved.candidates[:_MOST_SHOWN]
        )
        raise InputError(f"{asked.preview}: several may be meant, give one of {several}.")
    return resolved.chosen, resolved.numbering


def _find(text: str, settings: Settings) -> Found:
    from glass_core.inputs.box import understand
    from glass_core.protein.accession import read_accession
    from glass_core.protein.written import take_apart
    from glass_core.sources.fetch import Fetcher
    from glass_core.sources.lookup import look_up

    written = take_apart(text)
    if written.accession is not None and written.rest:
        raise InputError(
            f"accession '{shown(text)}': give '{shown(written.rest, 40)}' as the variant."
        )
    accession = written.accession
    if accession is None:
        asked = understand(text)
        if asked.kind == "gene" and not asked.variants:
            accession = _chosen(asked, settings)[0].accession
    return look_up(accession or read_accession(text), Fetcher(settings))
