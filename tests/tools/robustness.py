"""Damaged input of every kind, counted: ``python -m tests.tools.robustness [COUNT]``."""

from __future__ import annotations

import gzip
import io
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from glass_core.errors import InputError
from glass_core.inputs.box import understand
from glass_core.inputs.choice import VariantChoice
from glass_core.inputs.lists import from_text
from glass_core.inputs.proposals import proposals
from glass_core.inputs.upload import EXAMPLE_CHAIN, Upload, example_upload
from glass_core.inputs.words import read_variants
from glass_core.protein.accession import read_accession
from glass_core.protein.annotation import Annotation
from glass_core.protein.notation import FORMS
from glass_core.protein.numbering import NUMBERING_KINDS
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import read_sequences
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure
from glass_core.protein.written import take_apart
from glass_core.runs.bundle import export_bundle, import_bundle
from glass_core.runs.store import RunStore
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow
from tests.tools.forms import forms
from tests.tools.mutator import Tally, fuzz

COUNT = 20_000
RESIDUES = 12
NumberingKind = tuple[str, Callable[[bytes], object], list[bytes], int]
"""Name, parser, good inputs, and what share of `COUNT` it gets as a divisor."""


def tallies(count: int, seed: int = 0) -> Iterator[Tally]:
    """The count of every kind of input, one after the other."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, read, seeds, divisor in kinds(Path(folder)):
            yield fuzz(name, read, seeds, count // divisor, seed)


def kinds(folder: Path) -> Iterator[NumberingKind]:
    """Every parser with good input to damage."""
    shape = small_structure()
    protein = Protein.from_structure(shape).annotated(Annotation("P12345", shape.sequence))
    files = structure_files(shape)
    texts = [text.encode() for text in FORMS] + [
        b"D1A",
        b"p.(Cys2Trp)",
        b"C2_C3insWW",
        b"S4del",
        b"Y5dup",
        b"1-5",
        b"D1A:C2W",
        b"5",
    ]
    yield "structure files", _structure, list(files.values()), 1
    for kind in NUMBERING_KINDS:
        yield (f"variants, {kind} numbers", partial(_variants, protein, kind), texts, 1)
    yield (
        "sequences and FASTA",
        lambda c: read_sequences(_text(c)),
        [shape.sequence.encode(), f">a b\n{shape.sequence}\n>c\nMKV*\n".encode()],
        1,
    )
    yield (
        "accessions",
        _accession,
        [b"P04637", b"P04637-2 R175H", b"AF-Q8N726-F1", b"2ocj A:R1H"],
        1,
    )
    box = ("TP53 R175H", "HBB:c.20A>T", "rs334", "2OCJ A", "E 7 V", "ATGGTGCATCTGACTTAA", "D1A C2W")
    yield "the one box", partial(_box, protein), [text.encode() for text in box], 1
    yield (
        "lists of variants",
        lambda c: list(from_text(_text(c), [protein])),
        [b"D1A, C2W\nC3/A/G # x\n", b"1-3 p.[Asp1Ala;Cys2Trp]"],
        1,
    )
    yield (
        "CSV and TSV",
        partial(_table, protein, "a.csv"),
        [b"variant,score,label\nD1A,0.5,pathogenic\nC2W,1,benign\n", b"mut\tx\nD1A\t1\n"],
        1,
    )
    yield "Parquet", partial(_table, protein, "a.parquet"), [_parquet()], 10
    yield (
        "FASTA of mutants",
        partial(_table, protein, "a.fasta"),
        [f">m\nA{shape.sequence[1:]}\n".encode()],
        1,
    )
    store = RunStore(folder / "runs.sqlite")
    run = store.create(
        ScreenRequest((protein,), "x", "compact"), [ScreenRow(1, protein.name, "D1A", "done")]
    )
    whole = export_bundle(store, run)
    yield "bundles", partial(_bundle, store), [whole], 40
    for member in ("run.json", "inputs.json", "rows.parquet"):
        with zipfile.ZipFile(io.BytesIO(whole)) as bundle:
            good = bundle.read(member)
        yield f"bundles, {member}", partial(_member, store, whole, member), [good], 40
    for form, read, seeds in forms():
        yield form, read, seeds, 10


def small_structure() -> Structure:
    """The first residues of the example."""
    upload = example_upload()
    whole = read_structure(upload.content, chain=EXAMPLE_CHAIN, name="small")
    first = whole.atoms[: int(whole.residue_starts[RESIDUES])]
    return Structure.from_atoms(first, "small", whole.origin)


def structure_files(shape: Structure) -> dict[str, bytes]:
    """Every format, plain and compressed, and one with UniProt numbers."""
    from biotite.structure.io import pdbx

    binary, packed = pdbx.BinaryCIFFile(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pdbx.set_structure(binary, shape.atoms, data_block="x")
        pdbx.compress(binary).write(packed)
    cif = pdbx.CIFFile.read(io.StringIO(write_structure(shape, "mmcif")))
    table, size = cif.block["atom_site"], shape.atoms.array_length()
    table["pdbx_sifts_xref_db_acc"] = np.full(size, "P12345")
    table["pdbx_sifts_xref_db_num"] = np.arange(size).astype(str)
    numbered = io.StringIO()
    cif.write(numbered)
    files = {
        "pdb": write_structure(shape, "pdb").encode(),
        "mmcif": write_structure(shape, "mmcif").encode(),
        "sifts": numbered.getvalue().encode(),
        "bcif": packed.getvalue(),
    }
    return files | {f"{name}.gz": gzip.compress(c) for name, c in files.items()}


def _structure(content: bytes) -> None:
    for chain in list_chains(content, name="damaged"):
        Protein.from_structure(read_structure(content, chain=chain.id, name="damaged"))


def _variants(protein: Protein, kind: str, content: bytes) -> None:
    read_variants(_text(content), protein, kind)  # type: ignore[arg-type]


def _box(protein: Protein, content: bytes) -> None:
    """A problem is told, not raised: it counts as refused."""
    for opened in (None, protein):
        found = understand(_text(content), opened)
        proposals(found.variants, protein)
    if found.problem:
        raise InputError(found.preview)


def _accession(content: bytes) -> None:
    take_apart(_text(content))
    read_accession(_text(content))


def _table(protein: Protein, name: str, content: bytes) -> None:
    list(VariantChoice("file", upload=Upload(content, name)).read([protein]).requests)


def _bundle(store: RunStore, content: bytes) -> None:
    store.delete(import_bundle(store, content))


def _member(store: RunStore, whole: bytes, member: str, content: bytes) -> None:
    """A sound bundle with one member that is not."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    _bundle(store, made.getvalue())


def _parquet() -> bytes:
    import pandas as pd

    target = io.BytesIO()
    pd.DataFrame({"variant": ["D1A", "C2W"], "score": [0.5, 1.0]}).to_parquet(target)
    return target.getvalue()


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")


def main() -> None:
    """Print the table of `docs/robustness.md`."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    print("| input | inputs | read | refused | worst time | memory growth | faults |")
    print("|---|---|---|---|---|---|---|")
    for t in tallies(count):
        print(
            f"| {t.name} | {t.inputs:,} | {t.read:,} | {t.refused:,} | {1000 * t.worst_s:.0f} ms "
            f"| {t.grown >> 20} MiB | {len(t.faults)} |",
            flush=True,
        )
        for fault in t.faults[:20]:
            print(f"  {fault}", file=sys.stderr)


if __name__ == "__main__":
    main()
