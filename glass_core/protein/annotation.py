"""What databases know about a protein: names, features, known variants, confidence of a model."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.change import Change
from glass_core.protein.external import ExternalScores
from glass_core.protein.sequence import check_residues
from glass_core.protein.writing import write_change
from glass_core.records import require

_PAGES = (
    (
        re.compile(r"VCV0*([1-9]\d*)(?:\.\d+)?"),
        "https://www.ncbi.nlm.nih.gov/clinvar/variation/{}/",
    ),
    (re.compile(r"(RCV\d+)(?:\.\d+)?"), "https://www.ncbi.nlm.nih.gov/clinvar/{}/"),
    (re.compile(r"(rs\d+)"), "https://www.ncbi.nlm.nih.gov/snp/{}"),
    (re.compile(r"(VAR_\d+)"), "https://web.expasy.org/variant_pages/{}.html"),
)
"""The form of a variant's name -> its page."""


@dataclass(frozen=True)
class Feature:
    """A stretch or site of a protein, such as a domain or an active site.

    Attributes
    ----------
    kind : str
        As UniProt calls it: ``Domain``, ``Active site``, ``Binding site``, ...
    start, end : int
        1-based UniProt positions, both included.
    description : str
    """

    kind: str
    start: int
    end: int
    description: str = ""

    def __post_init__(self) -> None:
        require(1 <= self.start <= self.end, "end", "is not before start, which is 1 or more")

    @property
    def is_site(self) -> bool:
        """One or two residues that do something, rather than a stretch."""
        return self.end - self.start < 2

    def __str__(self) -> str:
        place = str(self.start) if self.start == self.end else f"{self.start}-{self.end}"
        return f"{self.kind} {place}" + (f": {self.description}" if self.description else "")


@dataclass(frozen=True)
class KnownVariant:
    """A variant that a database lists.

    Attributes
    ----------
    change : Change
        In UniProt positions; a substitution or a deletion, no mere insertion.
    significance : str
        What clinical databases call it; '' where they say nothing.
    description : str
    ids : tuple of str
        Names elsewhere, such as ``rs28934578``.
    source : str
        The database that listed it.
    review_status : str
        How well ClinVar's significance is supported, in its words; '' where it is not told.
    """

    change: Change
    significance: str = ""
    description: str = ""
    ids: tuple[str, ...] = ()
    source: str = ""
    review_status: str = ""

    def __post_init__(self) -> None:
        check_residues(self.change.wild, "wild")

    @property
    def link(self) -> str:
        """Where to read about it: ClinVar, else dbSNP, else UniProt's variants; '' for nowhere."""
        pages = ((form.fullmatch(name), page) for form, page in _PAGES for name in self.ids)
        return next((page.format(found[1]) for found, page in pages if found), "")

    @property
    def text(self) -> str:
        """In UniProt numbering, such as ``R175H`` or ``F508del``."""
        return write_change(self.change)


@dataclass(frozen=True)
class Retrieved:
    """One answer of a web service, for the record.

    Attributes
    ----------
    service : str
        Such as ``AlphaFold DB``.
    entry : str
        What was asked for, with the version where there is one.
    date : str
        UTC, ISO 8601, of the answer; older than today where it was kept.
    """

    service: str
    entry: str
    date: str

    def __str__(self) -> str:
        return f"{self.service} {self.entry}, retrieved {self.date[:10]}"


@dataclass(frozen=True, eq=False)
class Annotation:
    """All that was looked up about one protein; positions are UniProt's.

    Attributes
    ----------
    accession : str
        UniProt's, with the isoform where one was asked for.
    sequence : str
        UniProt's sequence, which the positions refer to.
    name, gene, organism : str
    features : tuple of Feature
    variants : tuple of KnownVariant
    pae : ndarray, shape=(L, L), dtype=uint8, or None
        AlphaFold's predicted aligned error in whole Å: expected error of the position of
        residue j when the model is superposed on residue i. Not a distance.
    retrieved : tuple of Retrieved
    external : tuple of ExternalScores
        What other people's models say of UniProt's sequence. Shown, and used for nothing else.
    """

    accession: str
    sequence: str
    name: str = ""
    gene: str = ""
    organism: str = ""
    features: tuple[Feature, ...] = ()
    variants: tuple[KnownVariant, ...] = ()
    pae: NDArray[np.uint8] | None = None
    retrieved: tuple[Retrieved, ...] = ()
    external: tuple[ExternalScores, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.accession), "accession", "is given")
        check_residues(self.sequence, "sequence")
        if self.pae is not None:
            size = len(self.sequence)
            pae = np.array(self.pae, dtype=np.uint8)
            require(pae.shape == (size, size), "pae", "has a row and a column per residue")
            pae.setflags(write=False)
            object.__setattr__(self, "pae", pae)
        for scores in self.external:
            require(scores.sequence == self.sequence, "external", "is of the same sequence")

    @property
    def title(self) -> str:
        """Name, gene and organism in one line."""
        gene = f" ({self.gene})" if self.gene else ""
        organism = f", {self.organism}" if self.organism else ""
        return f"{self.name or self.accession}{gene}{organism}"

    @property
    def fasta(self) -> str:
        """The sequence as a FASTA record."""
        return f">{self.accession} {self.title}\n{self.sequence}\n"
