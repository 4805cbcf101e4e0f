"""From what a user typed or dropped to a `Protein` and a `Variant`; CLI and page share it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from glass_core.errors import InputError, SequenceError, VariantError
from glass_core.inputs.columns import Columns, from_table, guess_columns
from glass_core.inputs.lists import Asked, by_name, from_mutants, from_text
from glass_core.inputs.table import read_table
from glass_core.inputs.words import read_variant
from glass_core.protein.annotation import Annotation
from glass_core.protein.numbering import Kind
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import NamedSequence, read_sequence, read_sequences
from glass_core.protein.structure.file import read_structure, write_structure
from glass_core.protein.structure.parse import Neighbours
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.protein.written import take_apart

Follow = Literal["sequence", "structure"]
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")

EXAMPLE_CHAIN = "A"
EXAMPLE_VARIANT = "V31P"
"""A proline in the middle of a helix of a globin chain."""


@dataclass(frozen=True)
class Upload:
    """A structure file's content and name.

    `neighbours`: whether contacts are with the chains of the file or of its assembly.
    """

    content: bytes
    name: str
    neighbours: Neighbours = "unit"

    @staticmethod
    def from_path(path: Path) -> Upload:
        """Read a file.

        Raises
        ------
        InputError
            It cannot be read.
        """
        try:
            return Upload(path.read_bytes(), path.name)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}).") from error

    @staticmethod
    def of_structure(structure: Structure) -> Upload:
        """A file that holds `structure`, as if it had been uploaded."""
        content = write_structure(structure, "mmcif", with_ligands=True)
        return Upload(content.encode(), structure.name)


@dataclass(frozen=True)
class HandOver:
    """One variant that a page passes to another."""

    wild: str
    variant: str
    structure: Upload | None = None
    chain: str | None = None
    annotation: Annotation | None = None


@dataclass(frozen=True, eq=False)
class Inputs:
    """Checked inputs of one analysis."""

    protein: Protein
    variant: Variant
    mutant_structure: Structure | None = None


def read_inputs(
    wild: str,
    variant: str,
    mutant: str = "",
    structure: Upload | None = None,
    chain: str | None = None,
    mutant_structure: Upload | None = None,
    mutant_chain: str | None = None,
    numbering: Kind = "sequence",
    annotation: Annotation | None = None,
    follow: Follow = "sequence",
) -> Inputs:
    """Check everything and put it together.

    Parameters
    ----------
    wild : str
        Wild-type sequence or FASTA record; may be empty when there is a
        structure, whose residues are then the sequence.
    variant : str
        See `words.read_variant`; may be empty when `mutant` is given. A chain before it
        (``A:R175H``) chooses that of the structure.
    mutant : str
        The whole mutant sequence, in place of `variant`.
    numbering : {"sequence", "UniProt", "author"}
        What the numbers in `variant` mean.
    annotation : Annotation, optional
        What was looked up about the protein; its sequence stands in for an empty `wild`.
    follow : {"sequence", "structure"}
        Whose residue the wild type has where the two differ.

    Raises
    ------
    SequenceError, VariantError, StructureError, InputError
        One line that says what is wrong, where, and what to do.
    """
    if structure is not None and chain is None:
        chain = take_apart(variant).chain or None
    protein = _read_protein(wild, structure, chain, annotation)
    if follow == "structure":
        protein = protein.following_structure()
    return Inputs(
        protein=protein,
        variant=_read_variant(protein, variant, mutant, numbering),
        mutant_structure=None
        if mutant_structure is None
        else read_structure(
            mutant_structure.content, chain=mutant_chain, name=mutant_structure.name
        ),
    )


def _read_protein(
    wild: str, structure: Upload | None, chain: str | None, annotation: Annotation | None = None
) -> Protein:
    shape = None
    if structure is not None:
        shape = read_structure(
            structure.content, chain=chain, name=structure.name, neighbours=structure.neighbours
        )
    record = read_sequence(wild, "wild type") if wild.strip() else None
    if record is None and annotation is not None:
        record = NamedSequence(annotation.sequence, annotation.accession)
    if record is None and shape is None:
        raise SequenceError(
            "wild type: is empty; paste a sequence or a FASTA record, give a structure file, or "
            "look up an accession."
        )
    if record is None:
        protein = Protein.from_structure(shape)  # type: ignore[arg-type]
    elif shape is None:
        protein = Protein.from_sequence(record.residues, record.name)
    else:
        protein = Protein.combine(record.residues, shape, record.name)
    return protein if annotation is None else protein.annotated(annotation)


def _read_variant(protein: Protein, variant: str, mutant: str, numbering: Kind) -> Variant:
    if not mutant.strip():
        return read_variant(variant, protein, numbering)
    whole = read_sequence(mutant, "mutant").residues
    if not variant.strip():
        return Variant.from_sequences(protein.sequence, whole)
    named = read_variant(variant, protein, numbering)
    if named.mutant != whole:
        raise VariantError(
            f"variant '{variant.strip()[:60]}': is not what the mutant sequence shows; give one of "
            "the two."
        )
    return named


def text_or_file(given: str) -> str:
    """The text itself, or the text of the file it names."""
    if "\n" in given or len(given) > 1000:
        return given
    path = Path(given)
    try:
        if not path.is_file():
            return given
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SequenceError(
            f"{path.name}: is not a text file; give FASTA or plain text."
        ) from error
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}).") from error


def example_upload() -> Upload:
    """The structure of the example, PDB entry 2GTL, from the tmtools package; no network."""
    from tmtools.testing import get_pdb_path

    return Upload(Path(get_pdb_path("2gtl")).read_bytes(), "2gtl.pdb")


def read_proteins(
    wild: str,
    structure: Upload | None = None,
    chain: str | None = None,
    annotation: Annotation | None = None,
) -> list[Protein]:
    """The wild types of a screen: FASTA records, one sequence, or those of a structure.

    Raises
    ------
    SequenceError, StructureError, InputError
        Nothing to read, something wrong with it, or a structure beside several sequences.
    """
    records = read_sequences(wild, "wild type") if wild.strip() else []
    if len(records) > 1:
        if structure is not None:
            raise InputError("structure: goes with one wild-type sequence, not with several.")
        if annotation is not None:
            raise InputError(
                f"{annotation.accession}: goes with one wild-type sequence, not with "
                "several; clear the accession."
            )
        proteins = [
            Protein.from_sequence(r.residues, r.name or f"protein_{n}")
            for n, r in enumerate(records, start=1)
        ]
        by_name(proteins)
        return proteins
    return [_read_protein(wild, structure, chain, annotation)]


def read_variants(
    given: str, proteins: list[Protein], column: str | None = None, numbering: Kind = "sequence"
) -> Iterator[Asked]:
    """Variants from text or the file it names; see `variants_of_file` for files."""
    path = Path(given) if "\n" not in given and len(given) <= 1000 else None
    try:
        is_file = path is not None and path.is_file()
    except OSError:
        is_file = False
    if path is None or not is_file:
        return from_text(given, proteins, numbering)
    return variants_of_file(Upload.from_path(path), proteins, column, numbering=numbering)


def variants_of_file(
    upload: Upload,
    proteins: list[Protein],
    column: str | None = None,
    columns: Columns | None = None,
    numbering: Kind = "sequence",
) -> Iterator[Asked]:
    """Variants of a table (CSV, TSV, Parquet), a FASTA file of mutants, or lines of text.

    Parameters
    ----------
    column : str, optional
        The column of variants, in place of the guess.
    columns : Columns, optional
        All columns, in place of the guess.
    """
    if upload.name.lower().endswith(TABLE_SUFFIXES):
        table = read_table(upload.content, upload.name)
        if columns is None:
            if column is not None and column not in table.columns:
                raise InputError(
                    f"{upload.name}: has no column '{column}'; it has {', '.join(table.columns)}."
                )
            columns = guess_columns(table, proteins, numbering)
            columns = replace(columns, variant=column) if column else columns
        return from_table(table, columns, proteins, numbering)
    try:
        text = upload.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{upload.name}: is not a text file; give CSV, TSV, Parquet, FASTA or "
            "one variant per line."
        ) from error
    if text.lstrip().startswith(">"):
        if len(proteins) > 1:
            raise InputError("mutant sequences go with one wild type, not with several.")
        return from_mutants(text, proteins[0])
    return from_text(text, proteins, numbering)
