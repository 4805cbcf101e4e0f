"""Variants: what differs between a wild type and a mutant, in text and in sequence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import VariantError, shown
from glass_core.protein.alignment import GAP, global_alignment
from glass_core.protein.change import Change
from glass_core.protein.notation import read_changes
from glass_core.protein.numbering import Numbering
from glass_core.protein.writing import write_changes, write_hgvs
from glass_core.protein.written import take_apart
from glass_core.records import require

_DIRECT_IDENTITY = 0.5
"""Equal lengths and at least this identity: differences are read as substitutions."""


@dataclass(frozen=True)
class Variant:
    """A wild-type sequence and all its changes, in order, not overlapping.

    Build with `Variant.parse` or `Variant.from_sequences`.
    """

    wild_type: str
    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        require(bool(self.changes), "changes", "is not empty")
        for change in self.changes:
            stretch = self.wild_type[change.position - 1 : change.end]
            require(stretch == change.wild, "changes", "agrees with the wild type")
            require(change.position <= len(self.wild_type) + 1, "changes", "lies in the sequence")
        for before, after in pairwise(self.changes):
            require(after.follows(before), "changes", "is ordered and does not overlap")

    @staticmethod
    def parse(text: str, wild_type: str, numbering: Numbering | None = None) -> Variant:
        """Read `text` as one variant of `wild_type`; see `notation.read_changes`.

        A reference or an accession is passed over; a chain is refused, for a sequence has
        none. `inputs.words.read_variant` checks both against a protein.

        Raises
        ------
        VariantError
            It is none; the message says why.

        Examples
        --------
        >>> from glass_core import Variant
        >>> Variant.parse("p.Lys2Arg", "MKTAYIAK").text
        'K2R'
        >>> Variant.parse("K2R:T3del", "MKTAYIAK").mutant
        'MRAYIAK'
        """
        written = take_apart(text)
        if written.chain:
            raise VariantError(
                f"variant '{shown(text)}': is of chain {written.chain}, and there is only a "
                f"sequence; give '{shown(written.core)}'."
            )
        return Variant(wild_type, read_changes(written.variant, wild_type, numbering))

    @staticmethod
    def from_sequences(wild_type: str, mutant: str) -> Variant:
        """The changes that turn `wild_type` into `mutant`.

        Equal lengths with at least half the residues alike give substitutions
        directly; otherwise a global alignment finds insertions and deletions,
        placed as far towards the C-terminus as the sequence allows (HGVS).

        Raises
        ------
        VariantError
            The sequences are equal.
        """
        if wild_type == mutant:
            raise VariantError(
                "mutant: is identical to the wild type; change at least one residue."
            )
        alike = sum(a == b for a, b in zip(wild_type, mutant, strict=False))
        if len(wild_type) == len(mutant) and alike >= _DIRECT_IDENTITY * len(wild_type):
            rows = (wild_type, mutant)
        else:
            rows = global_alignment(wild_type, mutant)
        return Variant(wild_type, tuple(_changes_from_rows(*rows)))

    @property
    def mutant(self) -> str:
        """The whole mutant sequence."""
        pieces, done = [], 0
        for change in self.changes:
            pieces += [self.wild_type[done : change.position - 1], change.mutant]
            done = change.end
        return "".join([*pieces, self.wild_type[done:]])

    @property
    def rows(self) -> tuple[str, str]:
        """Wild type and mutant as alignment rows, a residue facing what replaces it."""
        wild, mutant, done = [], [], 0
        for change in self.changes:
            kept = self.wild_type[done : change.position - 1]
            width = max(len(change.wild), len(change.mutant))
            wild += [kept, change.wild.ljust(width, GAP)]
            mutant += [kept, change.mutant.ljust(width, GAP)]
            done = change.end
        rest = self.wild_type[done:]
        return "".join([*wild, rest]), "".join([*mutant, rest])

    @property
    def mutant_index(self) -> NDArray[np.int64]:
        """For each wild-type residue the index of its mutant partner, -1 where deleted."""
        partner = np.full(len(self.wild_type), -1)
        i = j = 0
        for a, b in zip(*self.rows, strict=True):
            if a != GAP and b != GAP:
                partner[i] = j
            i += a != GAP
            j += b != GAP
        return partner

    @property
    def positions(self) -> tuple[int, ...]:
        """1-based wild-type positions touched; for an insertion, both residues beside it."""
        touched: set[int] = set()
        for change in self.changes:
            span = (
                range(change.position, change.end + 1)
                if change.wild
                else (change.position - 1, change.position)
            )
            touched |= {p for p in span if 1 <= p <= len(self.wild_type)}
        return tuple(sorted(touched))

    @property
    def only_substitutions(self) -> bool:
        """Whether every change is one residue for one residue."""
        return all(change.is_substitution for change in self.changes)

    @property
    def text(self) -> str:
        """One-letter notation that `parse` reads back, such as ``A1P:D2N``."""
        return write_changes(self.changes, self.wild_type)

    @property
    def hgvs(self) -> str:
        """HGVS protein notation, as MAVE-HGVS restricts it; see `writing.write_hgvs`."""
        return write_hgvs(self.changes, self.wild_type)


def _changes_from_rows(wild_row: str, mutant_row: str) -> list[Change]:
    """Substitutions one by one; a run of differences that holds a gap as one change."""
    runs: list[tuple[int, str, str]] = []
    position = 1
    for same, columns in groupby(
        zip(wild_row, mutant_row, strict=True), key=lambda column: column[0] == column[1]
    ):
        pairs = list(columns)
        wild, mutant = ("".join(letters).replace(GAP, "") for letters in zip(*pairs, strict=True))
        if not same:
            if any(GAP in pair for pair in pairs):
                runs.append((position, wild, mutant))
            else:
                runs += [(position + k, a, b) for k, (a, b) in enumerate(pairs)]
        position += len(wild)
    wild_type = wild_row.replace(GAP, "")
    limits = [start - 1 for start, _, _ in runs[1:]] + [len(wild_type)]
    return [
        _towards_c_terminus(Change(*run), wild_type, limit)
        for run, limit in zip(runs, limits, strict=True)
    ]


def _towards_c_terminus(change: Change, wild_type: str, limit: int) -> Change:
    """Shift a pure deletion or insertion along a repeat, as HGVS asks, up to `limit`."""
    position, out, put_in = change.position, change.wild, change.mutant
    moving = out or put_in
    while bool(out) != bool(put_in) and position + len(out) <= limit:
        follower = wild_type[position + len(out) - 1]
        if moving[0] != follower:
            break
        moving = moving[1:] + follower
        out, put_in = (moving, "") if out else ("", moving)
        position += 1
    return Change(position, out, put_in)
