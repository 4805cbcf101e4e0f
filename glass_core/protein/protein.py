"""A protein: its sequence and, where known, the structure that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, StructureError
from glass_core.protein.alignment import GAP, aligned_pairs, anchored, global_alignment
from glass_core.protein.annotation import Annotation, KnownVariant
from glass_core.protein.change import Change
from glass_core.protein.external import ExternalScores
from glass_core.protein.numbering import Numbering, NumberingKind
from glass_core.protein.placement import place_residues
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.sequence import UNKNOWN, check_residues, names_in_header
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.protein.writing import write_changes, write_hgvs
from glass_core.records import frozen_array, require

_MIN_IDENTITY = 0.5
"""Below this identity over the aligned residues the structure is another protein's."""
_MIN_ALIGNED = 3
_MIN_ANNOTATED = 0.8
"""Below this share of the shorter sequence an annotation is another protein's."""


@dataclass(frozen=True)
class Mismatch:
    """A residue where sequence and structure disagree; the sequence is followed."""

    position: int
    sequence_residue: str
    structure_residue: str
    author_number: str
    label: str
    """The position's number as the protein's user counts."""

    def __str__(self) -> str:
        return (
            f"residue {self.label} is {self.sequence_residue} in the sequence but "
            f"{self.structure_residue} in the structure (author number {self.author_number})"
        )


@dataclass(frozen=True, eq=False)
class Protein:
    """A wild type: a sequence, and the structure residue of each position.

    Build with `from_sequence`, `from_structure` or `combine`.

    Attributes
    ----------
    sequence : str
    name : str
    structure : Structure or None
    structure_index : ndarray, shape=(L,), dtype=int
        0-based index into the structure's residues, -1 where the position has
        no coordinates.
    accession : str
        UniProt's, where it is known, else ''.
    uniprot_positions : ndarray, shape=(L,), dtype=int
        1-based UniProt position of each residue, -1 where there is none.
    annotation : Annotation or None
        What was looked up about the protein.
    profile : AlignmentProfile or None
        What an alignment of homologues says of each position.
    computed : tuple of ExternalScores
        What other people's models, run on this very sequence, say of it; see `external`.
    own_counting : Numbering or None
        How its user counts, where that is not by sequence position; see `counting`.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tmtools.testing import get_pdb_path
    >>> from glass_core import Protein, read_structure
    >>> structure = read_structure(Path(get_pdb_path("2gtl")), chain="A")
    >>> protein = Protein.combine("GS" + structure.sequence, structure)  # with a tag
    >>> len(protein), round(protein.coverage, 3), protein.author_number(2)
    (149, 0.987, '5')
    """

    sequence: str
    name: str
    structure: Structure | None
    structure_index: NDArray[np.int64]
    accession: str = ""
    uniprot_positions: NDArray[np.int64] | None = None
    annotation: Annotation | None = None
    profile: AlignmentProfile | None = None
    computed: tuple[ExternalScores, ...] = ()
    own_counting: Numbering | None = None

    def __post_init__(self) -> None:
        check_residues(self.sequence, "sequence")
        index = frozen_array(self.structure_index, (len(self.sequence),), "structure_index", int)
        object.__setattr__(self, "structure_index", index)
        count = 0 if self.structure is None else len(self.structure)
        require(
            bool((index < count).all() and (index >= -1).all()),
            "structure_index",
            "points into the structure",
        )
        require(bool((np.diff(index[index >= 0]) > 0).all()), "structure_index", "is in order")
        known = self.uniprot_positions
        numbers = frozen_array(
            np.full(len(self.sequence), -1) if known is None else known,
            (len(self.sequence),),
            "uniprot_positions",
            int,
        )
        require(
            bool(((numbers >= 1) | (numbers == -1)).all()),
            "uniprot_positions",
            "is 1 or more, or -1",
        )
        require(
            bool(self.accession) or not (numbers >= 1).any(),
            "accession",
            "is given with UniProt positions",
        )
        object.__setattr__(self, "uniprot_positions", numbers)
        require(len(self.counting.labels) == len(self), "own_counting", "numbers each position")
        if self.profile is not None:
            require(self.profile.wild_type == self.sequence, "profile", "is of this sequence")
        for scores in self.computed:
            require(scores.sequence == self.sequence, "computed", "is of the same sequence")

    @staticmethod
    def from_sequence(sequence: str, name: str = "") -> Protein:
        """A protein known by sequence alone."""
        return Protein(sequence, name, None, np.full(len(sequence), -1))

    @staticmethod
    def from_structure(structure: Structure) -> Protein:
        """A protein whose sequence is that of the residues with coordinates."""
        return Protein(
            structure.sequence,
            structure.name,
            structure,
            np.arange(len(structure)),
            structure.accession,
            structure.uniprot_positions,
        )

    @staticmethod
    def combine(sequence: str, structure: Structure, name: str = "") -> Protein:
        """A protein with the given sequence; the structure's residues aligned to it.

        Parts of either that the other lacks are allowed (disordered ends,
        expression tags), and single mismatches are reported by `mismatches`.

        Raises
        ------
        StructureError
            The two have less than half of their aligned residues in common, or
            almost nothing aligned: the structure is another protein's.
        """
        check_residues(sequence, "sequence")
        pairs = place_residues(structure.chain_residues, sequence)
        same = sum(sequence[i] == structure.sequence[j] for i, j in pairs)
        shorter = min(len(sequence), len(structure))
        if len(pairs) < min(_MIN_ALIGNED, shorter) or same < _MIN_IDENTITY * max(
            len(pairs), shorter / 2
        ):
            raise StructureError(
                f"{structure.name}: chain {structure.chain} and the sequence disagree, only "
                f"{same} of {shorter} residues match; give the structure of this protein or "
                "leave the sequence empty to use the structure's own."
            )
        index = np.full(len(sequence), -1)
        index[pairs[:, 0]] = pairs[:, 1]
        numbers = np.full(len(sequence), -1)
        numbers[pairs[:, 0]] = structure.uniprot_positions[pairs[:, 1]]
        return Protein(
            sequence, name or structure.name, structure, index, structure.accession, numbers
        )

    def annotated(self, annotation: Annotation) -> Protein:
        """The protein with what was looked up about it, numbered as UniProt does.

        The sequences are aligned, so that tags, missing ends and exchanged residues keep
        the others' numbers.

        Raises
        ------
        InputError
            The annotation is about another protein.
        """
        if self.sequence == annotation.sequence:
            numbers = np.arange(1, len(self) + 1)
        else:
            pairs = anchored(
                self._placed_in(annotation.sequence), self.sequence, annotation.sequence
            )
            same = sum(self.sequence[i] == annotation.sequence[j] for i, j in pairs)
            shorter = min(len(self), len(annotation.sequence))
            if same < _MIN_ANNOTATED * shorter:
                raise InputError(
                    f"{annotation.accession}: is another protein, only {same} of {shorter} "
                    "residues match the wild type; clear the accession or the sequence."
                )
            numbers = np.full(len(self), -1)
            numbers[pairs[:, 0]] = pairs[:, 1] + 1
        return replace(
            self, accession=annotation.accession, uniprot_positions=numbers, annotation=annotation
        )

    def _placed_in(self, other: str) -> NDArray[np.int64]:
        """Index pairs of the protein and another sequence of it.

        Where the sequence is the structure's, the chain's breaks tell of the residues it lacks.
        """
        if self.structure is not None and self.sequence == self.structure.sequence:
            return place_residues(self.structure.chain_residues, other)[:, ::-1]
        return aligned_pairs(*global_alignment(self.sequence, other, free_ends=True))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided or left out while its structure and its alignment were read."""
        notes = () if self.structure is None else self.structure.notes
        profile = self.profile
        if profile is not None:
            notes = (*notes, *profile.notes, *filter(None, [profile.why_not_used]))
        return notes

    @property
    def short_name(self) -> str:
        """The first word of its name, as FASTA ids go."""
        return self.name.split()[0] if self.name.strip() else "protein"

    @property
    def other_names(self) -> tuple[str, ...]:
        """What else it is called: its accession and, by a header of UniProt, entry and gene."""
        found = [self.accession, *names_in_header(self.name)]
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def known_changes(self) -> tuple[tuple[KnownVariant, Change], ...]:
        """The listed variants that fit the sequence, each with its change in own positions."""
        listed = () if self.annotation is None else self.annotation.variants
        placed = ((known, self._own_change(known.change)) for known in listed)
        return tuple((known, change) for known, change in placed if change is not None)

    def _own_change(self, change: Change) -> Change | None:
        """A change in UniProt positions in the protein's own; None where it does not fit."""
        position = self.position_of_uniprot(change.position)
        if position is None:
            return None
        own = replace(change, position=position)
        everything = len(own.wild) == len(self) and not own.mutant
        fits = self.sequence[own.position - 1 : own.end] == own.wild
        return own if fits and not everything else None

    @cached_property
    def external(self) -> tuple[ExternalScores, ...]:
        """Other people's scores in own positions: those looked up, then those computed.

        Tags and residues that differ from the sequence that was looked up have none.
        """
        looked_up = () if self.annotation is None else self.annotation.external
        placed = (scores.placed(self.sequence, self._uniprot - 1) for scores in looked_up)
        return (*placed, *self.computed)

    def with_computed(self, scores: ExternalScores) -> Protein:
        """The protein with scores of this very sequence, in place of earlier ones of their kind."""
        others = (one for one in self.computed if one.kind != scores.kind)
        return replace(self, computed=(*others, scores))

    def following_structure(self) -> Protein:
        """The protein as its structure shows it: residues that differ are the structure's.

        An alignment and what was computed of the sequence are left behind: it is another now.
        """
        letters = list(self.sequence)
        for mismatch in self.mismatches:
            letters[mismatch.position - 1] = mismatch.structure_residue
        return replace(self, sequence="".join(letters), profile=None, computed=())

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def position_of_residue(self) -> dict[int, int]:
        """1-based position of each residue of the structure that has one, by its 0-based index."""
        return {int(j): i + 1 for i, j in enumerate(self.structure_index) if j >= 0}

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Positions with coordinates, shape=(L,)."""
        return np.asarray(self.structure_index >= 0)

    @property
    def coverage(self) -> float:
        """Fraction of positions with coordinates."""
        return float(self.covered.mean())

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Every position where the structure shows another residue than the sequence."""
        if self.structure is None:
            return ()
        return tuple(
            Mismatch(
                i + 1,
                self.sequence[i],
                self.structure.sequence[j],
                self.structure.residue_numbers[j],
                self.label(i + 1),
            )
            for i, j in enumerate(self.structure_index)
            if j >= 0
            and self.structure.sequence[j] != self.sequence[i]
            and UNKNOWN not in (self.structure.sequence[j], self.sequence[i])
        )

    @property
    def ca(self) -> NDArray[np.float64]:
        """C-alpha coordinates, shape=(L, 3), in Å; NaN rows without coordinates."""
        if self.structure is None:
            return np.full((len(self), 3), np.nan)
        return self.track(self.structure.ca)

    def track(self, per_structure_residue: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values per structure residue, shape=(n, ...), moved to sequence positions.

        Returns shape=(L, ...); NaN where a position has no coordinates.
        """
        values = np.asarray(per_structure_residue, dtype=float)
        result = np.full((len(self), *values.shape[1:]), np.nan)
        result[self.covered] = values[self.structure_index[self.covered]]
        return result

    def author_number(self, index: int) -> str:
        """Author residue number with insertion code, '' without coordinates."""
        j = int(self.structure_index[index])
        return "" if self.structure is None or j < 0 else self.structure.residue_numbers[j]

    def contacts(self, index: int) -> str:
        """Other chains within 5 Å of a residue, such as ``B C'``; '' where there are none."""
        j = int(self.structure_index[index])
        if self.structure is None or j < 0 or not self.structure.contacts:
            return ""
        return self.structure.contacts[j]

    def uniprot_position(self, index: int) -> int | None:
        """1-based UniProt position of a residue; None where there is none."""
        number = int(self._uniprot[index])
        return None if number < 1 else number

    @property
    def counting(self) -> Numbering:
        """How its user counts the residues: by sequence position unless told otherwise."""
        return self.own_counting or Numbering.of_sequence(len(self))

    def counted_by(self, numbering: NumberingKind | Numbering) -> Protein:
        """The protein as a user knows it who counts like this.

        Raises
        ------
        InputError
            The protein has no such numbers; the message says what gives them.

        Examples
        --------
        >>> from glass_core import Protein, Variant
        >>> from glass_core.protein.numbering import Numbering
        >>> protein = Protein.from_sequence("MVHLTPEEKS")
        >>> variant = Variant.parse("E7V", protein.sequence)
        >>> mature = Numbering.shifted(10, -1, "from behind the first methionine")
        >>> protein.counted_by(mature).written(variant)
        'E6V'
        """
        numbers = self.numbering(numbering) if isinstance(numbering, str) else numbering
        own = None if numbers.by_sequence else numbers
        return self if own == self.own_counting else replace(self, own_counting=own)

    def label(self, position: int) -> str:
        """The user's number of a 1-based position; ``(5)`` where position 5 has none."""
        return self.counting.label(position)

    def named(self, position: int) -> str:
        """Residue and the user's number, such as ``R175``."""
        return f"{self.sequence[position - 1]}{self.label(position)}"

    def written(self, variant: Variant) -> str:
        """A variant of the protein in the user's numbers, as `inputs.words` reads it back."""
        return write_changes(variant.changes, self.sequence, self.label)

    def hgvs(self, variant: Variant) -> tuple[str, str]:
        """The variant in HGVS, and what its numbers count.

        HGVS is of a reference sequence: UniProt's where it has these very residues, else the
        sequence given. Other numbers are never HGVS.
        """
        if all(map(self._is_in_uniprot, variant.changes)):
            written = write_hgvs(
                variant.changes, self.sequence, lambda p: str(self._uniprot[p - 1])
            )
            return f"{self.accession}:{written}", f"UniProt positions of {self.accession}"
        return variant.hgvs, "positions of the sequence given"

    def _is_in_uniprot(self, change: Change) -> bool:
        """Whether UniProt's sequence has what is changed and the residues beside an insertion."""
        if self.annotation is None:
            return False
        first, last = change.position, change.end
        if not change.wild:
            first, last = max(first - 1, 1), min(first, len(self))
        numbers = self._uniprot[first - 1 : last]
        start = int(numbers[0])
        whole = start >= 1 and bool((np.diff(numbers) == 1).all())
        there = self.annotation.sequence[start - 1 : start - 1 + len(numbers)]
        return whole and there == self.sequence[first - 1 : last]

    def numbering(self, kind: NumberingKind) -> Numbering:
        """The number of every position.

        Raises
        ------
        InputError
            The protein has no such numbers; the message says what gives them.
        """
        if kind == "sequence":
            return Numbering.of_sequence(len(self))
        return self._uniprot_numbering if kind == "UniProt" else self._author_numbering

    @cached_property
    def _uniprot_numbering(self) -> Numbering:
        if not (self._uniprot >= 1).any():
            raise InputError(
                "numbering: UniProt positions are not known; look the protein up by its "
                "accession, or choose another numbering."
            )
        return Numbering("UniProt", tuple("" if n < 1 else str(n) for n in self._uniprot))

    @cached_property
    def _author_numbering(self) -> Numbering:
        if self.structure is None:
            raise InputError(
                "numbering: author numbers come with a structure; give one, or choose another "
                "numbering."
            )
        return Numbering("author", tuple(map(self.author_number, range(len(self)))))

    def position_of_uniprot(self, number: int) -> int | None:
        """1-based position of a UniProt position; None where the sequence lacks it."""
        return self._place_of_uniprot.get(number)

    @cached_property
    def _place_of_uniprot(self) -> dict[int, int]:
        return {int(n): i for i, n in enumerate(self._uniprot, start=1) if n >= 1}

    @property
    def _uniprot(self) -> NDArray[np.int64]:
        return np.asarray(self.uniprot_positions)

    def alignment_report(self) -> str:
        """The sequence above the structure's, with a row marking matches, 60 per line."""
        if self.structure is None:
            return "No structure."
        below = "".join(self.structure.sequence[j] if j >= 0 else GAP for j in self.structure_index)
        marks = "".join(
            "|" if a == b else " " if b == GAP else "x"
            for a, b in zip(self.sequence, below, strict=True)
        )
        return "\n\n".join(
            f"{start + 1:>6} {self.sequence[start : start + 60]}\n"
            f"       {marks[start : start + 60]}\n"
            f"       {below[start : start + 60]}"
            for start in range(0, len(self), 60)
        )
