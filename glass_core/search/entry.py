"""What a database holds: sequences with who they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from glass_core.errors import InputError
from glass_core.protein.accession import Accession, read_accession
from glass_core.protein.sequence import check_residues
from glass_core.records import require

PDB = "pdb:"
"""Before the entry of the Protein Data Bank in `Entry.structure`."""


@dataclass(frozen=True)
class Entry:
    """One sequence of a database.

    Attributes
    ----------
    id : str
        Unique in its database; without white space.
    sequence : str
        One-letter codes; '' where a database of other people's brought vectors alone.
    description : str
        What else its source says of it.
    labels : str
        Such as its class in CATH or SCOP; several joined by '; '.
    structure : str
        File of its structure, relative to the database's folder where it can be; or the entry
        of the Protein Data Bank that has it, such as ``pdb:2ht0``; '' for none.
    chain : str
        Its chain there.
    """

    id: str
    sequence: str
    description: str = ""
    labels: str = ""
    structure: str = ""
    chain: str = ""

    def __post_init__(self) -> None:
        require(bool(self.id) and not any(map(str.isspace, self.id)), "id", "is one word")
        if self.sequence:
            check_residues(self.sequence, f"sequence of {self.id}")

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def sha256(self) -> str:
        """Of the sequence, in hex."""
        return hashlib.sha256(self.sequence.encode()).hexdigest()

    @property
    def file(self) -> str:
        """The file that `structure` names; '' where it names none."""
        return "" if self.structure.startswith(PDB) else self.structure

    @property
    def accession(self) -> Accession | None:
        """Its entry in PDB or UniProt, told by `structure` or by the form of its id."""
        if self.structure.startswith(PDB):
            return read_accession(self.structure.removeprefix(PDB))
        for word in (self.id, *self.id.split("|")[1:2]):
            try:
                return read_accession(word)
            except InputError:
                continue
        return None

    @property
    def fasta(self) -> str:
        """As a FASTA record."""
        return f">{' '.join(filter(None, (self.id, self.description)))}\n{self.sequence}\n"


@dataclass
class LeftOut:
    """How many records were not taken, by the reason; and the first of each, by name.

    Attributes
    ----------
    counts, first : dict
    chosen : set of str
        Reasons that are no failure.
    """

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)

    @property
    def failed(self) -> bool:
        """Whether something was left out for another reason than that it was meant to be."""
        return bool(set(self.counts) - self.chosen)

    def pass_over(self, reason: str, name: str) -> None:
        """One more, which is meant to be left out."""
        self.chosen.add(reason)
        self.add(reason, name)

    def add(self, reason: str, name: str) -> None:
        """One more."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.first.setdefault(reason, name)

    def add_all(self, other: LeftOut) -> None:
        """Those of another input, too."""
        for reason, count in other.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + count
            self.first.setdefault(reason, other.first[reason])
        self.chosen |= other.chosen

    def lines(self) -> Iterator[str]:
        """A sentence for each reason."""
        for reason, count in self.counts.items():
            yield f"left out {count:,}: {reason} (the first: {self.first[reason]})"
