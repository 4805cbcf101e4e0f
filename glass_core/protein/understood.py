"""What a text is, told by its form alone: an entry, a gene, a variant, a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from glass_core.protein.accession import Accession
from glass_core.protein.sequence import NamedSequence
from glass_core.records import require, require_one_of

UnderstoodKind = Literal[
    "nothing", "sequences", "accession", "gene", "rsid", "hgvs", "variants", "table", "problem"
]
_PARTS = {
    "sequences": "records",
    "accession": "accession",
    "gene": "gene",
    "rsid": "rsid",
    "hgvs": "hgvs",
    "variants": "variants",
}


@dataclass(frozen=True)
class Understood:
    """What was understood of a text; made by `inputs.box.understand`.

    Attributes
    ----------
    kind : str
        One of `UnderstoodKind`, what leads. A table is one of variants; "variants" are of the
        protein that is open.
    preview : str
        In one line for a reader: what it is, or what is wrong with it and what to do.
    records : tuple of NamedSequence
        Protein sequences, of FASTA or pasted.
    accession : Accession or None
    chain : str
        Of a PDB entry, where it was named.
    gene : str
        A symbol, as it was written.
    rsid : str
        dbSNP's, such as ``rs334``.
    hgvs : str
        A coding or genomic change with its reference, such as ``HBB:c.20A>T``.
    variants : str
        Variants of the protein, as `inputs.words` and `inputs.lists` read them; may stand
        beside an accession or a gene. Kept where there is a problem with them.
    offer : NamedSequence or None
        The translation, where nucleotides were given that are one open reading frame.
    """

    kind: UnderstoodKind
    preview: str
    records: tuple[NamedSequence, ...] = ()
    accession: Accession | None = None
    chain: str = ""
    gene: str = ""
    rsid: str = ""
    hgvs: str = ""
    variants: str = ""
    offer: NamedSequence | None = None

    def __post_init__(self) -> None:
        require_one_of(self.kind, get_args(UnderstoodKind), "kind")
        require(bool(self.preview) and "\n" not in self.preview, "preview", "is one line")
        part = _PARTS.get(self.kind)
        require(part is None or bool(getattr(self, part)), part or "kind", "is given")

    @property
    def problem(self) -> bool:
        """Whether nothing can be begun with it; `preview` says why."""
        return self.kind == "problem"

    @property
    def asks_a_service(self) -> bool:
        """Whether it must be looked up, which needs a network or what was kept of one."""
        return self.kind in ("accession", "gene", "rsid", "hgvs")
