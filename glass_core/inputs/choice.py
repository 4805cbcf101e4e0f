"""Which variants a screen is about: all, alanines, known ones, a list or a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from glass_core.errors import InputError
from glass_core.inputs.columns import NO_CHOICE, ColumnChoice, Columns, choose_columns, from_table
from glass_core.inputs.lists import (
    Asked,
    alanine_scan,
    all_substitutions,
    from_mutants,
    from_text,
    known_variants,
    scan,
)
from glass_core.inputs.mutfile import is_mutfile, read_mutfile
from glass_core.inputs.reading import Count
from glass_core.inputs.table import as_table, is_parquet
from glass_core.inputs.text import decode, guessed_encoding
from glass_core.inputs.upload import Upload, file_named
from glass_core.protein.numbering import NUMBERING_KINDS
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
    named : ColumnChoice
        Of a table: columns that are known, the others as guessed.
    numbering : {"sequence", "UniProt", "author"} or Numbering, optional
        How the proteins are counted, in what is given and in what is shown; by default as each
        of them is.
    """

    kind: ChoiceKind
    span: str = ""
    text: str = ""
    upload: Upload | None = None
    columns: Columns | None = None
    named: ColumnChoice = NO_CHOICE
    numbering: Count | None = None

    def __post_init__(self) -> None:
        require_one_of(self.kind, get_args(ChoiceKind), "kind")
        require((self.upload is None) == (self.kind != "file"), "upload", "goes with a file")
        require(not self.span.strip() or self.kind in SCANS, "span", "goes with a scan")
        require(not self.text or self.kind == "list", "text", "goes with a list")
        named = self.columns is not None or bool(self.named)
        require(not named or self.kind == "file", "columns", "goes with a file")
        require(self.columns is None or not self.named, "named", "is in `columns` then")
        if isinstance(self.numbering, str):
            require_one_of(self.numbering, NUMBERING_KINDS, "numbering")

    @staticmethod
    def text_or_file(
        given: str, named: ColumnChoice = NO_CHOICE, numbering: Count | None = None
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
            return VariantChoice("file", upload=upload, named=named, numbering=numbering)
        if named:
            raise InputError(
                f"column '{', '.join(named.named)}': goes with a table; give the table's file."
            )
        return VariantChoice("list", text=given, numbering=numbering)

    def words(self, proteins: Sequence[Protein]) -> str:
        """Where the variants come from, for people."""
        names = ", ".join(protein.short_name for protein in proteins)[:60]
        if self.upload is not None:
            return self.upload.name
        if self.kind == "list":
            return "typed variants"
        return f"{_SCAN_TITLES.get(self.kind, 'known variants')} of {names}"

    def counted(self, proteins: Sequence[Protein]) -> list[Protein]:
        """The proteins, each counted as it is asked for.

        Raises
        ------
        InputError
            A protein has no such numbers.
        """
        if self.numbering is None:
            return list(proteins)
        return [protein.counted_by(self.numbering) for protein in proteins]

    def read(self, proteins: Sequence[Protein]) -> Asked:
        """The variants, read; what cannot be read carries its reason.

        Raises
        ------
        InputError
            A file or range that cannot be read, or known variants of a protein about which
            nothing was looked up.
        """
        proteins = self.counted(proteins)
        if self.upload is not None:
            return self._of_file(self.upload, proteins)
        if self.kind == "list":
            return self._of_file(Upload(self.text.encode(), "the list"), proteins)
        if self.kind == "known":
            if proteins[0].annotation is None:
                raise InputError("known variants: nothing was looked up; give an accession.")
            return Asked(known_variants(proteins[0]))
        return Asked(scan(proteins, SCANS[self.kind], self.span))

    def _of_file(self, upload: Upload, proteins: Sequence[Protein]) -> Asked:
        table = as_table(upload.content, upload.name)
        if table is not None:
            columns = self.columns or choose_columns(table, upload.name, proteins, named=self.named)
            asked = from_table(table, columns, proteins)
            guess = "" if is_parquet(upload.name) else guessed_encoding(upload.content)
            return replace(asked, notes=(*asked.notes, guess)) if guess else asked
        if self.named:
            raise InputError(
                f"{upload.name}: is a list without columns; leave out the options that name them."
            )
        text = decode(upload.content, upload.name)
        if text.lstrip().startswith(">"):
            if len(proteins) > 1:
                raise InputError("mutant sequences go with one wild type, not with several.")
            return Asked(from_mutants(text, proteins[0]))
        if is_mutfile(text):
            text = "\n".join(read_mutfile(text, upload.name))
            return Asked(from_text(text, proteins), ("Read as a Rosetta mutfile.",))
        return Asked(from_text(text, proteins))
