"""Which variants a screen is about: all, alanines, known ones, a list or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from glass_core.errors import InputError
from glass_core.inputs.columns import Columns, from_table, guess_columns
from glass_core.inputs.lists import (
    VariantRequest,
    alanine_scan,
    all_substitutions,
    from_mutants,
    from_text,
    known_variants,
    scan,
)
from glass_core.inputs.table import TABLE_SUFFIXES, read_table
from glass_core.inputs.upload import Upload, file_named
from glass_core.protein.numbering import NUMBERING_KINDS, NumberingKind
from glass_core.protein.protein import Protein
from glass_core.records import require, require_one_of

ChoiceKind = Literal["all", "alanine", "known", "list", "file"]
SCANS = {"all": all_substitutions, "alanine": alanine_scan}
_SCAN_TITLES = {"all": "all substitutions", "alanine": "alanine scan"}


@dataclass(frozen=True)
class VariantChoice:
    """Which variants of the proteins are meant; the command line and the page fill it.

    Attributes
    ----------
    kind : {"all", "alanine", "known", "list", "file"}
    span : str
        Of "all" and "alanine": a range as `lists.read_range` reads it; '' = whole proteins.
    text : str
        Of "list": as `lists.from_text` reads it.
    upload : Upload or None
        Of "file": a table, a FASTA file of mutants, or lines of text.
    columns : Columns or None
        Of a table: what its columns mean, in place of the guess.
    column : str or None
        Of a table: its column of variants, the others as guessed.
    numbering : {"sequence", "UniProt", "author"}
        What the numbers of a list or file mean.
    """

    kind: ChoiceKind
    span: str = ""
    text: str = ""
    upload: Upload | None = None
    columns: Columns | None = None
    column: str | None = None
    numbering: NumberingKind = "sequence"

    def __post_init__(self) -> None:
        require_one_of(self.kind, get_args(ChoiceKind), "kind")
        require((self.upload is None) == (self.kind != "file"), "upload", "goes with a file")
        require(not self.span.strip() or self.kind in SCANS, "span", "goes with a scan")
        require(not self.text or self.kind == "list", "text", "goes with a list")
        named = self.columns is not None or self.column is not None
        require(not named or self.kind == "file", "columns", "goes with a file")
        require(self.columns is None or self.column is None, "column", "is in `columns` then")
        require_one_of(self.numbering, NUMBERING_KINDS, "numbering")

    @staticmethod
    def text_or_file(
        given: str, column: str | None = None, numbering: NumberingKind = "sequence"
    ) -> VariantChoice:
        """A list where `given` is one, the file where it is the path of one.

        Raises
        ------
        InputError
            The file cannot be read, or a column is named of what is no file.
        """
        path = file_named(given)
        if path is not None:
            upload = Upload.from_path(path)
            return VariantChoice("file", upload=upload, column=column, numbering=numbering)
        if column is not None:
            raise InputError(f"column '{column}': goes with a table; give the table's file.")
        return VariantChoice("list", text=given, numbering=numbering)

    def words(self, proteins: Sequence[Protein]) -> str:
        """Where the variants come from, for people."""
        names = ", ".join(protein.short_name for protein in proteins)[:60]
        if self.upload is not None:
            return self.upload.name
        if self.kind == "list":
            return "typed variants"
        return f"{_SCAN_TITLES.get(self.kind, 'known variants')} of {names}"

    def requests(self, proteins: Sequence[Protein]) -> Iterator[VariantRequest]:
        """The variants, read; what cannot be read carries its reason.

        Raises
        ------
        InputError
            A file or range that cannot be read, or known variants of a protein about which
            nothing was looked up.
        """
        if self.upload is not None:
            return self._of_file(self.upload, proteins)
        if self.kind == "list":
            return from_text(self.text, proteins, self.numbering)
        if self.kind == "known":
            if proteins[0].annotation is None:
                raise InputError("known variants: nothing was looked up; give an accession.")
            return known_variants(proteins[0])
        return scan(proteins, SCANS[self.kind], self.span)

    def _of_file(self, upload: Upload, proteins: Sequence[Protein]) -> Iterator[VariantRequest]:
        if upload.name.lower().endswith(TABLE_SUFFIXES):
            table = read_table(upload.content, upload.name)
            columns = self.columns
            if columns is None:
                if self.column is not None and self.column not in table.columns:
                    raise InputError(
                        f"{upload.name}: has no column '{self.column}'; it has "
                        f"{', '.join(table.columns)}."
                    )
                columns = guess_columns(table, proteins, self.numbering)
                columns = replace(columns, variant=self.column) if self.column else columns
            return from_table(table, columns, proteins, self.numbering)
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
        return from_text(text, proteins, self.numbering)
