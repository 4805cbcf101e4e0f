"""A file with a multiple sequence alignment as the profile of a wild type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import filterfalse
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import shown
from glass_core.inputs.msa_formats import AlignmentFile, Row
from glass_core.inputs.msa_layout import GAP_CODE, Layout, find_layout
from glass_core.inputs.msa_query import Query, find_query
from glass_core.inputs.msa_weights import most_rows, row_weights, weighted_counts
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.sequence import STANDARD, check_residues

_SEED = 0
"""Of the choice among too many rows: a file is read alike each time."""


def read_profile(
    source: Path | bytes, wild_type: str, *, name: str | None = None
) -> AlignmentProfile:
    """Read an alignment of homologues and count what stands at each position of a protein.

    The row that is the protein is found by aligning it, so the alignment may be of a longer or
    shorter construct, with a tag or point differences, and its query need not stand first.
    Insertions relative to that row are dropped. Rows with residues in fewer than half of its
    columns are left out, as are exact duplicates; of more rows than can be compared with each
    other, as many are drawn at random, the same each time.

    Parameters
    ----------
    source : Path or bytes
        A3M, A2M, aligned FASTA, Stockholm or Clustal, also compressed by gzip; a file or the
        content of one.
    wild_type : str
        Upper-case residues.
    name : str, optional
        What to call the file; its own name where `source` is a path.

    Raises
    ------
    InputError
        It cannot be read, is too large or no alignment, or is another protein's.
    SequenceError
        `wild_type` is no sequence, or too long to align.
    """
    check_residues(wild_type, "wild type")
    if name is None:
        name = "alignment" if isinstance(source, bytes) else source.name
    file = AlignmentFile.checked(source, name)
    layout = find_layout(file.rows(), name)

    def rows() -> Iterator[Row]:
        return filterfalse(lambda row: not row.letters, file.rows())

    query = find_query(rows, layout, wild_type, name)
    codes, notes = _chosen(rows(), layout, query)
    weights = row_weights(codes)
    counts = np.full((len(wild_type), len(STANDARD)), np.nan)
    counts[query.positions] = weighted_counts(codes, weights)
    return AlignmentProfile(
        wild_type,
        name,
        file.sha256,
        len(codes),
        layout.rows,
        float(weights.sum()),
        counts,
        (*_layout_notes(layout), *_query_notes(query, wild_type), *notes),
    )


def _chosen(
    rows: Iterable[Row], layout: Layout, query: Query
) -> tuple[NDArray[np.uint8], list[str]]:
    """The letters of the rows to count, shape=(depth, columns), the query's first; and notes.

    Too many are thinned while they pass, each with the same chance to stay (Vitter's algorithm
    R, ACM Trans. Math. Softw. 11, 37 (1985)).
    """
    columns = len(query.columns)
    most = most_rows(columns)
    kept = np.empty((min(most, layout.rows), columns), dtype=np.uint8)
    kept[0] = _letters(query.row, layout, query)
    seen = {_digest(kept[0].tobytes())}
    few = duplicates = found = 0
    random = Random(_SEED)
    for number, row in enumerate(rows, start=1):
        if number == query.number:
            continue
        codes = _letters(row, layout, query)
        content = codes.tobytes()
        if 2 * content.count(GAP_CODE) > columns:
            few += 1
            continue
        digest = _digest(content)
        if digest in seen:
            duplicates += 1
            continue
        seen.add(digest)
        found += 1
        place = found if found < most else random.randrange(found) + 1
        if place < most:
            kept[place] = codes
    notes = []
    if few:
        notes.append(f"Rows left out with residues in fewer than half of the columns: {few:,}.")
    if duplicates:
        notes.append(f"Rows left out that repeat another exactly: {duplicates:,}.")
    if found >= most:
        notes.append(f"Of {found + 1:,} rows that remain, {most:,} were drawn at random.")
    return kept[: min(found + 1, most)], notes


def _letters(row: Row, layout: Layout, query: Query) -> NDArray[np.uint8]:
    codes: NDArray[np.uint8] = np.frombuffer(layout.codes(row), dtype=np.uint8)[query.columns]
    return codes


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()


def _layout_notes(layout: Layout) -> list[str]:
    notes = []
    if not layout.marks:
        notes.append("Lower case and '.' mark no insertions here: they are residues and gaps.")
    if layout.empty:
        notes.append(f"Rows left out without a letter: {layout.empty:,}.")
    return notes


def _query_notes(query: Query, wild_type: str) -> list[str]:
    notes = []
    if query.number > 1:
        notes.append(f"The query is row {query.number:,}, '{shown(query.row.name)}'.")
    if differences := len(query.columns) - query.equal:
        notes.append(
            f"The query differs from the wild type at {differences} of "
            f"{len(query.columns)} positions."
        )
    if len(query.columns) < len(wild_type):
        notes.append(
            f"The alignment has columns for {len(query.columns)} of {len(wild_type)} positions, "
            f"from {query.positions[0] + 1} to {query.positions[-1] + 1}."
        )
    if query.inserted:
        notes.append(
            f"Positions without a column, as the file marks them as insertions: {query.inserted}."
        )
    return notes
