"""From what was typed to an entry of UniProt or PDB, and to the variant in its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from glass_core.errors import InputError
from glass_core.progress import Stage, ignore
from glass_core.protein.accession import Accession
from glass_core.protein.numbering import NumberingKind
from glass_core.protein.understood import Understood
from glass_core.records import require
from glass_core.sources import dbsnp, ensembl, genes
from glass_core.sources.candidates import Candidate, Candidates
from glass_core.sources.fetch import Fetcher


@dataclass(frozen=True)
class Resolved:
    """What an entry was found for, or the entries to choose from.

    Attributes
    ----------
    candidates : tuple of Candidate
        The best first; one at least.
    chosen : Candidate or None
        The one that is meant; None where it cannot be told, and the reader chooses.
    numbering : {"UniProt"} or None
        What the numbers of the candidates' variants are; None where they are the user's own.
    notes : tuple of str
        What was found beside it, and what was chosen, one sentence each.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    numbering: NumberingKind | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.candidates), "candidates", "is not empty")
        require(self.chosen is None or self.chosen in self.candidates, "chosen", "is a candidate")


def resolve(asked: Understood, fetcher: Fetcher, tell: Stage = ignore) -> Resolved:
    """The entry that a gene, an rsID, a coding or genomic change or an accession leads to.

    `lookup.look_up` then takes the accession of what was chosen.

    Raises
    ------
    NotFoundError
        The service does not know it.
    InputError
        It changes no residue of a protein, or there is nothing to look up.
    SourceError
        The service cannot be asked, or answers what cannot be used.
    """
    if asked.accession is not None:
        return _alone(asked.accession, asked.variants)
    if asked.kind == "gene":
        tell("UniProt", 0.1)
        return _resolved(genes.entries_of(asked.gene, asked.variants, fetcher), None)
    if asked.kind == "rsid":
        tell("EBI Proteins", 0.1)
        return _resolved(dbsnp.changes_of(asked.rsid, asked.gene, fetcher), "UniProt")
    if asked.kind == "hgvs":
        tell("Ensembl", 0.1)
        return _resolved(ensembl.changes_of(asked.hgvs, asked.gene, fetcher), "UniProt")
    raise InputError(f"{asked.preview}: there is nothing to look up.")


def _alone(accession: Accession, variants: str) -> Resolved:
    one = Candidate(accession, variants, str(accession))
    return Resolved((one,), one)


def _resolved(found: Candidates, numbering: NumberingKind | None) -> Resolved:
    return Resolved(found.all, found.chosen, numbering, found.notes)
