"""Proteins at their places: sequences and structures of an input, in one space."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError, InputError, UnavailableError, VariantError, one_line
from glass_core.inputs.upload import file_named
from glass_core.models.space.base import SHORTEST, Space
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.sequence import STANDARD, read_sequences
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.protein.variant import Variant
from glass_core.records import frozen_array, require
from glass_core.search.entry import Entry, LeftOut
from glass_core.search.reading import STRUCTURE_SUFFIXES, read_entries

Kind = Literal["sequence", "structure", "stretch"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 40_000
"""Residues of a sequence that is placed: more than those of titin."""
NO_PLACE, NO_CHAIN = "a structure that has no place", "a chain that is not there"
SAME_CHAIN = "a chain with the letters of one before it; name it to place it, too"


@dataclass(frozen=True, eq=False)
class Point:
    """One place.

    Attributes
    ----------
    id : str
    kind : {"sequence", "structure", "stretch"}
        What was placed.
    sequence : str
        Its letters; of a structure those with coordinates.
    vector : ndarray, shape=(Z,), dtype=float32
        Of length 1.
    labels : str
        Such as its class in CATH; '' for none.
    """

    id: str
    kind: Kind
    sequence: str
    vector: NDArray[np.float32]
    labels: str = ""

    def __post_init__(self) -> None:
        require(self.kind in KINDS, "kind", f"is one of {', '.join(KINDS)}")
        object.__setattr__(self, "vector", frozen_array(self.vector, (None,), "vector", np.float32))


def read_given(given: str, left_out: LeftOut, chains: Sequence[str] = ()) -> list[Entry]:
    """The proteins of an input: sequences as text, or a file or folder.

    Parameters
    ----------
    given : str
        Sequences as text or FASTA; or the path of a file of FASTA or Parquet, of a structure,
        whose chains are taken, or of a folder of structures.
    left_out : LeftOut
        Told what cannot be taken.
    chains : sequence of str
        Of a structure; every one by default.

    Raises
    ------
    SequenceError, InputError, StructureError
        Nothing to read, or something wrong with it; a chain that is not there.
    """
    if not given.strip():
        raise InputError("nothing was given: a sequence, FASTA, a structure or a folder of them.")
    path = Path(given.strip()) if len(given) < 4_096 and "\n" not in given.strip() else None
    if path is not None and path.exists():
        plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
        if path.is_file() and plain.suffix.lower() in STRUCTURE_SUFFIXES:
            return _of_structure(path, plain.stem, chains, left_out)
        refused = LeftOut()
        found = list(read_entries(path, refused))
        if not found:
            why = " ".join(refused.lines())
            raise InputError(f"{path.name}: holds no protein that can be read. {why}".strip())
        left_out.add_all(refused)
        return found
    file_named(given)  # says where a path leads nowhere
    return read_typed(given)


def read_typed(text: str) -> list[Entry]:
    """The sequences of a text, letters or FASTA; it is never taken for a path.

    Raises
    ------
    SequenceError
        It holds none, or something that is none.
    """
    return [
        Entry("_".join(one.name.split()) or f"sequence_{n}", one.residues)
        for n, one in enumerate(read_sequences(text), start=1)
    ]


def without_copies(entries: Sequence[Entry], left_out: LeftOut) -> list[Entry]:
    """The entries, of chains of one file with the same letters the first; the rest is told."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for one in entries:
        if one.structure and (one.structure, one.sequence) in seen:
            left_out.pass_over(SAME_CHAIN, one.id)
        else:
            kept.append(one)
        seen.add((one.structure, one.sequence))
    return kept


def mutants_of(wild: Entry, variants: str, left_out: LeftOut) -> list[Entry]:
    """The mutants of a protein, for variants written one behind another.

    Parameters
    ----------
    variants : str
        Such as ``R175H, R273H``: with commas, semicolons or white space between them, positions
        counted along the sequence.
    left_out : LeftOut
        Told what is no variant of the protein.
    """
    found: dict[str, Entry] = {}
    for word in re.split(r"[\s,;]+", variants.strip()):
        if not word:
            continue
        try:
            variant = Variant.parse(word, wild.sequence)
        except VariantError as error:
            left_out.add(f"no variant of {wild.id}", str(error))
            continue
        name = "_".join(variant.text.split())
        found[name] = Entry(name, variant.mutant)
    return list(found.values())


def place(
    entries: Sequence[Entry], space: Space, left_out: LeftOut, watch: Watch = UNWATCHED
) -> list[Point]:
    """Sequences, and the structures of those that name a file, each at its place.

    A structure that cannot be placed is told to `left_out`; its sequence is placed all the same.
    Sequences that are too short, too long or hardly known have no place.

    Raises
    ------
    Cancelled
        That was asked for.
    """
    entries = [one for one in entries if _has_place(one, left_out)]
    if not entries:
        return []

    def told(done: int) -> None:
        watch.tell("placing sequences", 0.5 * done / len(entries))
        watch.stop_if_cancelled("Placing")

    told(0)
    vectors = space.of_sequences([one.sequence for one in entries], told)
    points = [
        Point(one.id, "sequence", one.sequence, vector, one.labels)
        for one, vector in zip(entries, vectors, strict=True)
    ]
    with_files = [one for one in entries if one.file]
    for done, one in enumerate(with_files):
        watch.tell("placing structures", 0.5 + 0.5 * done / len(with_files))
        watch.stop_if_cancelled("Placing")
        try:
            structure = read_structure(Path(one.file), chain=one.chain or None)
            vector = space.of_structures([structure.backbone])[0]
        except UnavailableError as error:
            left_out.add(one_line(error), one.id)
            continue
        except GlassError as error:
            left_out.add(NO_PLACE, f"{one.id}: {one_line(error)}")
            continue
        points.append(Point(one.id, "structure", structure.sequence, vector, one.labels))
    return points


def _has_place(one: Entry, left_out: LeftOut) -> bool:
    """Whether a sequence can be placed; why not is told to `left_out`."""
    known = sum(letter in STANDARD for letter in one.sequence)
    if known < SHORTEST:
        left_out.add(f"under {SHORTEST} residues of known kind, which have no place", one.id)
    elif len(one.sequence) > LONGEST:
        left_out.add(f"longer than {LONGEST:,} residues", one.id)
    else:
        return True
    return False


def _of_structure(path: Path, stem: str, asked: Sequence[str], left_out: LeftOut) -> list[Entry]:
    chains = {chain.id: chain for chain in list_chains(path)}
    missing = [name for name in asked if name not in chains]
    for name in missing:
        if len(missing) == len(asked):
            raise InputError(f"{path.name}: has no chain '{name}'; it has {', '.join(chains)}.")
        left_out.add(NO_CHAIN, f"'{name}' of {path.name}, which has {', '.join(chains)}")
    return [
        Entry(
            "_".join((stem if len(chains) == 1 else f"{stem}_{name}").split()),
            chains[name].sequence,
            structure=str(path.resolve()),
            chain=name,
        )
        for name in asked or chains
        if name in chains
    ]
