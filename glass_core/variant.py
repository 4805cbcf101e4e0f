"""Variants: what differs between a wild type and a mutant, in text and in sequence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from glass_core.alignment import GAP, global_alignment
from glass_core.errors import RecordError, VariantError
from glass_core.records import require
from glass_core.sequence import NONSTANDARD, ONE_LETTER, STANDARD, THREE_LETTER, check_residues

_DIRECT_IDENTITY = 0.5
"""Equal lengths and at least this identity: differences are read as substitutions."""

_RESIDUE = r"(?:[A-Za-z]{3}|[A-Za-z])"
_CHANGE = re.compile(
    rf"(?P<first>{_RESIDUE})(?P<start>\d+)"
    rf"(?:_(?P<last>{_RESIDUE})(?P<end>\d+))?"
    rf"(?:(?P<kind>delins|del|ins)(?P<inserted>[A-Za-z]*)|(?P<mutant>{_RESIDUE}|[*=]))"
)
EXAMPLES = "R175H, p.Arg175His, A1P:D2N or F508del"


@dataclass(frozen=True)
class Change:
    """One stretch of the wild type replaced by another.

    Attributes
    ----------
    position : int
        1-based position of the first replaced residue; for an insertion, of
        the residue before which it goes.
    wild, mutant : str
        The residues taken out and put in; one of them may be empty.
    """

    position: int
    wild: str
    mutant: str

    def __post_init__(self) -> None:
        require(self.position >= 1, "position", "is 1 or more")
        require(self.wild != self.mutant, "mutant", "differs from the wild type")

    @property
    def end(self) -> int:
        """1-based position of the last replaced residue; position - 1 for an insertion."""
        return self.position + len(self.wild) - 1

    @property
    def is_substitution(self) -> bool:
        """One residue for one residue."""
        return len(self.wild) == len(self.mutant) == 1


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
            require(_follows(before, after), "changes", "is ordered and does not overlap")

    @staticmethod
    def parse(text: str, wild_type: str) -> Variant:
        """Read `text` as one variant of `wild_type`.

        Parameters
        ----------
        text : str
            ``R175H``, ``Arg175His``, ``p.Arg175His``, several joined by ``:``,
            ``;``, ``,`` or white space, or as ``p.[Ala1Pro;Asp2Asn]``; a reference
            before ``:p.`` is passed over; ``F508del``, ``K23_L24insRS``,
            ``E746_A750delinsP``.
        wild_type : str
            The sequence the positions refer to.

        Raises
        ------
        VariantError
            Not a variant, another residue at the position, a position outside
            the sequence, no change, a stop, or two changes of one residue.
        """
        words = [word for word in re.split(r"[:;,\s]+", _without_reference(text)) if word]
        if not words:
            raise VariantError(f"variant: is empty; write for example {EXAMPLES}.")
        changes = sorted(
            (_parse_change(word, wild_type) for word in words), key=lambda c: (c.position, c.end)
        )
        for before, after in pairwise(changes):
            if not _follows(before, after):
                raise VariantError(
                    f"variant: position {after.position} is changed twice; give each residue once."
                )
        return Variant(wild_type, tuple(changes))

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
            span = range(change.position, change.end + 1) if change.wild else (
                change.position - 1, change.position
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
        return ":".join(self._change_text(change) for change in self.changes)

    def _change_text(self, change: Change) -> str:
        first = self.wild_type[change.position - 1 : change.position]
        if change.is_substitution:
            return f"{change.wild}{change.position}{change.mutant}"
        if not change.wild:
            before = self.wild_type[change.position - 2 : change.position - 1]
            if change.position == 1:  # nothing stands before it: rewrite the first residue
                return f"{first}1delins{change.mutant}{first}"
            if change.position > len(self.wild_type):
                last = len(self.wild_type)
                return f"{before}{last}delins{before}{change.mutant}"
            return f"{before}{change.position - 1}_{first}{change.position}ins{change.mutant}"
        span = f"{first}{change.position}"
        if change.end > change.position:
            span += f"_{change.wild[-1]}{change.end}"
        return f"{span}delins{change.mutant}" if change.mutant else f"{span}del"


def _without_reference(text: str) -> str:
    """``NP_000537.3:p.[Ala1Pro;Asp2Asn]`` as ``Ala1Pro;Asp2Asn``."""
    core = re.sub(r"^\S+:(?=p\.)", "", text.strip())
    several = re.fullmatch(r"p\.\[(.*)\]", core)
    return several[1] if several else core


def _follows(before: Change, after: Change) -> bool:
    """Whether `after` touches nothing that `before` touched."""
    two_insertions = not before.wild and not after.wild and before.position == after.position
    return after.position > before.end and not two_insertions


def _parse_change(word: str, wild_type: str) -> Change:
    core = word.removeprefix("p.").removeprefix("P.").strip("()")
    match = _CHANGE.fullmatch(core)
    if match is None:
        raise VariantError(f"variant '{word}': cannot be read; write for example {EXAMPLES}.")
    start = _check_site(word, wild_type, match["first"], match["start"])
    end = _check_site(word, wild_type, match["last"], match["end"]) if match["last"] else start
    if end < start:
        raise VariantError(f"variant '{word}': ends before it starts; give the range in order.")
    wild = wild_type[start - 1 : end]
    if match["mutant"]:
        if match["last"]:
            raise VariantError(f"variant '{word}': a range needs del, ins or delins behind it.")
        if match["mutant"] == "*" or match["mutant"].upper() == "TER":
            raise VariantError(
                f"variant '{word}': a stop truncates the protein; GLASS compares whole chains."
            )
        mutant = wild if match["mutant"] == "=" else _one_letter(word, match["mutant"])
    elif match["kind"] == "del":
        if match["inserted"]:
            raise VariantError(f"variant '{word}': nothing may follow 'del'.")
        mutant = ""
    else:
        mutant = _inserted(word, match["inserted"])
        if match["kind"] == "ins":
            if end != start + 1:
                raise VariantError(
                    f"variant '{word}': an insertion names the two neighbouring residues, "
                    "as in K23_L24insRS."
                )
            return Change(end, "", mutant)
    if mutant == wild:
        raise VariantError(f"variant '{word}': changes nothing; the wild type has {wild} there.")
    if len(wild) == len(wild_type) and not mutant:
        raise VariantError(f"variant '{word}': deletes the whole sequence.")
    return Change(start, wild, mutant)


def _check_site(word: str, wild_type: str, residue: str, position: str) -> int:
    # The digits are cut before int(): a number of a thousand digits is out of range anyway.
    number = int(position[:9])
    letter = _one_letter(word, residue)
    if not 1 <= number <= len(wild_type) or len(position) > 9:
        raise VariantError(
            f"variant '{word}': position {position[:12]} is outside the sequence, "
            f"which has residues 1 to {len(wild_type)}."
        )
    if wild_type[number - 1] != letter:
        raise VariantError(
            f"variant '{word}': position {number} is {wild_type[number - 1]}, not {letter}; "
            "check the numbering or the wild-type sequence."
        )
    return number


def _one_letter(word: str, residue: str) -> str:
    letter = residue.upper() if len(residue) == 1 else ONE_LETTER.get(residue.upper(), "")
    if letter not in STANDARD + NONSTANDARD or not letter:
        raise VariantError(f"variant '{word}': '{residue}' is no residue; write {EXAMPLES}.")
    return letter


def _inserted(word: str, letters: str) -> str:
    if not letters:
        raise VariantError(f"variant '{word}': names no inserted residues.")
    threes = [letters[i : i + 3] for i in range(0, len(letters), 3)]
    if not letters.isupper() and all(three.upper() in ONE_LETTER for three in threes):
        return "".join(ONE_LETTER[three.upper()] for three in threes)
    return check_residues(letters.upper(), f"variant '{word}'")


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


def mave_hgvs(variant: Variant) -> str:
    """HGVS protein notation, as MAVE-HGVS restricts it.

    ``p.Arg175His``, ``p.Phe508del``, ``p.Lys23_Leu24insArgSer``,
    ``p.Glu746_Ala750delinsPro``; several changes as ``p.[Ala1Pro;Asp2Asn]``.
    """
    parts = [_hgvs_change(text) for text in variant.text.split(":")]
    return f"p.{parts[0]}" if len(parts) == 1 else f"p.[{';'.join(parts)}]"


def _hgvs_change(text: str) -> str:
    match = re.fullmatch(r"(.)(\d+)(?:_(.)(\d+))?(delins|del|ins|)(\w*)", text)
    if match is None:
        raise RecordError(f"text: violates the rule that '{text}' is one-letter notation.")
    first, start, last, end, kind, letters = match.groups()
    place = THREE_LETTER[first] + start + (f"_{THREE_LETTER[last]}{end}" if last else "")
    return place + kind + "".join(THREE_LETTER[letter] for letter in letters)
