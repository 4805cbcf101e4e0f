"""What a user gives a map: text, files, variants, vectors; and the places of all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from glass_core.errors import GlassError, InputError
from glass_core.inputs.upload import Upload
from glass_core.models.space.base import Space
from glass_core.progress import UNWATCHED, Watch
from glass_core.records import require
from glass_core.search.entry import Entry, LeftOut
from glass_core.space.placing import (
    Point,
    mutants_of,
    place,
    read_given,
    read_typed,
    without_copies,
)
from glass_core.space.vectors import VECTOR_SUFFIXES, read_vectors

NOT_READ = "a file that could not be read"
UNSURE = 40
"""Residues under which a sequence's place says little."""
SHORT = f"under {UNSURE} residues; what is so short seldom lies near its structure (see Evidence)."


@dataclass(frozen=True, eq=False)
class Mapped:
    """Places of what a user gave.

    Attributes
    ----------
    points : tuple of Point
        At least one; distances are told to the first.
    left_out : tuple of str
        Sentences about what has no place, or one of little meaning.
    """

    points: tuple[Point, ...]
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(len(self.points) > 0, "points", "has one at least")


def map_given(
    text: str,
    files: Sequence[Upload],
    variants: str,
    space: Space,
    watch: Watch = UNWATCHED,
    chains: Sequence[str] = (),
) -> Mapped:
    """Place what was typed and dropped.

    Parameters
    ----------
    text : str
        Sequences as letters or FASTA; may be empty.
    files : sequence of Upload
        FASTA, structures, or vectors that were written before (see `read_vectors`). One that
        cannot be read is told, and the others are placed.
    variants : str
        Of the first protein, see `mutants_of`.
    chains : sequence of str
        Of the structures, see `read_chains`.

    Raises
    ------
    GlassError
        There is nothing to place, or the text is no sequence.
    Cancelled
        That was asked for.
    """
    left_out = LeftOut()
    entries: list[Entry] = read_typed(text) if text.strip() else []
    points: list[Point] = []
    with TemporaryDirectory(prefix="glass-map-") as folder:
        for number, file in enumerate(files):
            path = Path(folder) / str(number) / Path(file.name).name
            path.parent.mkdir()
            path.write_bytes(file.content)
            try:
                if path.suffix.lower() in VECTOR_SUFFIXES:
                    points += read_vectors(path, space.info)
                else:
                    entries += read_chains(str(path), left_out, chains)
            except GlassError as error:
                left_out.add(NOT_READ, " ".join(str(error).split()))
        if chains and not any(one.structure for one in entries):
            left_out.add("chains that were named without a structure", ", ".join(chains))
        return placed(entries, points, variants, space, left_out, watch)


def read_chains(given: str, left_out: LeftOut, chains: Sequence[str]) -> list[Entry]:
    """The proteins of an input, see `read_given`.

    Parameters
    ----------
    chains : sequence of str
        Of a structure; by default each that has a sequence of its own.
    """
    entries = read_given(given, left_out, chains)
    return entries if chains else without_copies(entries, left_out)


def placed(
    entries: Sequence[Entry],
    vectors: Sequence[Point],
    variants: str,
    space: Space,
    left_out: LeftOut,
    watch: Watch = UNWATCHED,
) -> Mapped:
    """Place entries, the mutants of the first behind it; places that are known come last.

    Raises
    ------
    InputError
        There is nothing to place.
    """
    if variants.strip() and not entries:
        raise InputError("variants need the sequence of their protein; give it first.")
    if entries:
        entries = [entries[0], *mutants_of(entries[0], variants, left_out), *entries[1:]]
    points = [*(place(entries, space, left_out, watch) if entries else ()), *vectors]
    if not points:
        told = " ".join(left_out.lines())
        raise InputError(
            f"nothing to place. {told}" if told else "nothing to place: give a protein."
        )
    return Mapped(tuple(points), (*left_out.lines(), *_unsure(points)))


def _unsure(points: Sequence[Point]) -> Iterator[str]:
    """A sentence where places say little."""
    short = [one.id for one in points if one.sequence and len(one.sequence) < UNSURE]
    if short:
        yield f"{short[0] if len(short) == 1 else f'{len(short)} places'}: {SHORT}"
