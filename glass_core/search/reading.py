"""Where the entries of a database come from: FASTA, Parquet, a folder of structures, a list.

Everything is read as a stream: an input of any size takes the memory of one record.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from glass_core.errors import GlassError, InputError, one_line
from glass_core.protein.accession import Accession, read_accession
from glass_core.protein.nucleotides import looks_like_nucleotides
from glass_core.protein.sequence import NONSTANDARD, STANDARD
from glass_core.protein.structure.file import list_chains
from glass_core.search.entry import Entry, LeftOut
from glass_core.sources import entries, uniprot
from glass_core.sources.fetch import Fetcher

STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif", ".bcif")
_ROWS = 1_000
_LOOKED_AT = 4_096
"""Bytes of a file that tell whether it is text."""
_LETTERS = frozenset(STANDARD + NONSTANDARD)
NO_SEQUENCE, NO_PROTEIN = "no sequence", "letters that are no residues"
NUCLEOTIDES = "letters of DNA or RNA, not of a protein"


class _Draft(NamedTuple):
    """A record before it was looked at."""

    id: str
    sequence: str
    description: str = ""
    labels: str = ""
    structure: str = ""
    chain: str = ""


def read_entries(
    source: Path, left_out: LeftOut, *, fetcher: Fetcher | None = None, most: int | None = None
) -> Iterator[Entry]:
    """The entries of an input; what cannot be taken is told to `left_out`.

    Parameters
    ----------
    source : Path
        FASTA or Parquet (columns ``id`` and ``sequence``, and those of `Entry` that are there),
        a folder of structures, each of whose chains is an entry, or a text file of accessions,
        one a line. FASTA and lists may be gzip'd, and structures.
    fetcher : Fetcher, optional
        Where accessions are looked up.
    most : int, optional
        Longest sequence to take.

    Raises
    ------
    InputError
        Nothing there, or no such input.
    """
    if not source.exists():
        raise InputError(f"{source}: is not there.")
    if source.is_file() and not source.stat().st_size:
        raise InputError(f"{source.name}: is empty.")
    if source.is_dir():
        drafts = _of_folder(source, left_out)
    elif source.suffix == ".parquet":
        drafts = _of_parquet(source)
    elif _is_fasta(source):
        drafts = _of_fasta(source)
    elif fetcher is not None:
        drafts = _of_accessions(source, fetcher, left_out)
    else:
        raise InputError(f"{source.name}: is neither FASTA nor Parquet nor a folder.")
    return _checked(drafts, left_out, most)


def count_entries(source: Path) -> int:
    """How many records an input has, about, to foretell how long it takes; 0 where none knows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if source.is_dir():
            return sum(path.is_file() for path in source.rglob("*"))
        if source.suffix == ".parquet":
            return int(pq.read_metadata(source).num_rows)
        with _lines(source) as lines:
            return sum(line.startswith(">") for line in lines)
    except (OSError, InputError, pa.ArrowException):
        return 0  # whoever reads it says what is wrong


def _checked(drafts: Iterable[_Draft], left_out: LeftOut, most: int | None) -> Iterator[Entry]:
    for draft in drafts:
        sequence = "".join(draft.sequence.split()).upper().removesuffix("*")
        name = draft.id or "(no name)"
        if not sequence:
            left_out.add(NO_SEQUENCE, name)
        elif not _LETTERS.issuperset(sequence):
            left_out.add(NO_PROTEIN, name)
        elif looks_like_nucleotides(sequence):
            left_out.add(NUCLEOTIDES, name)
        elif most is not None and len(sequence) > most:
            left_out.add(f"longer than {most:,} residues", name)
        else:
            yield Entry("_".join(name.split()), sequence, *draft[2:])


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file, gzip'd or not; bytes that are no text are read as '?'.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with path.open("rb") as raw, ExitStack() as stack:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            if not packed and b"\0" in raw.peek(_LOOKED_AT):
                raise InputError(f"{path.name}: is no text file.")
            stream = stack.enter_context(gzip.open(raw)) if packed else raw
            yield io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace")
    except (OSError, EOFError) as error:
        raise InputError(f"{path.name}: cannot be read ({one_line(error)}).") from error


def _is_fasta(path: Path) -> bool:
    with _lines(path) as lines:
        return next((line.lstrip()[:1] for line in lines if line.strip()), "") == ">"


def _of_fasta(path: Path) -> Iterator[_Draft]:
    from Bio.SeqIO.FastaIO import SimpleFastaParser

    with _lines(path) as lines:
        for title, sequence in SimpleFastaParser(lines):
            name, _, description = title.strip().partition(" ")
            yield _Draft(name, sequence, description.strip())


def _of_parquet(path: Path) -> Iterator[_Draft]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            there = [name for name in _Draft._fields if name in file.schema_arrow.names]
            if not {"id", "sequence"} <= set(there):
                raise InputError(f"{path.name}: needs the columns 'id' and 'sequence'.")
            for batch in file.iter_batches(_ROWS, columns=there):
                for row in batch.to_pylist():
                    yield _Draft(**{name: str(value or "") for name, value in row.items()})
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path.name}: cannot be read as Parquet ({one_line(error)}).") from error


def _of_folder(folder: Path, left_out: LeftOut) -> Iterator[_Draft]:
    for path in sorted(folder.rglob("*")):
        plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
        if plain.suffix.lower() not in STRUCTURE_SUFFIXES:
            continue
        try:
            chains = list_chains(path)
        except GlassError as error:
            left_out.add("no structure that can be read", f"{path.name}: {one_line(error)}")
            continue
        for chain in chains:
            name = plain.stem if len(chains) == 1 else f"{plain.stem}_{chain.id}"
            yield _Draft(name, chain.sequence, structure=str(path.resolve()), chain=chain.id)


def _of_accessions(path: Path, fetcher: Fetcher, left_out: LeftOut) -> Iterator[_Draft]:
    with _lines(path) as lines:
        words = [line.split()[0] for line in lines if line.strip() and line[0] != "#"]
    for word in words:
        try:
            yield from _looked_up(read_accession(word), fetcher)
        except GlassError as error:
            left_out.add("accession that was not found", f"{word}: {one_line(error)}")


def _looked_up(accession: Accession, fetcher: Fetcher) -> Iterator[_Draft]:
    if accession.database == "uniprot":
        found = uniprot.entry(accession, fetcher).annotation
        yield _Draft(found.accession, found.sequence, found.name)
    else:
        file = entries.structure_file(accession, fetcher)
        for chain in list_chains(file.content, name=accession.id):
            yield _Draft(f"{accession.id.lower()}_{chain.id}", chain.sequence)
