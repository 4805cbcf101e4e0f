"""Damaged input: every parser reads or refuses it in one line, soon, and in little memory."""

from __future__ import annotations

import warnings

import pytest

from glass_core.errors import InputError
from glass_core.protein.structure.file import read_structure
from tests.tools.mutator import damaged, fuzz
from tests.tools.robustness import COUNT, kinds, small_structure, structure_files


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory):
    return {kind[0]: kind for kind in kinds(tmp_path_factory.mktemp("fuzz"))}


NAMES = (
    "structure files",
    "variants, sequence numbers",
    "variants, UniProt numbers",
    "variants, author numbers",
    "sequences and FASTA",
    "accessions",
    "the one box",
    "lists of variants",
    "CSV and TSV",
    "Parquet",
    "FASTA of mutants",
    "bundles",
    "bundles, run.json",
    "bundles, inputs.json",
    "bundles, rows.parquet",
    "residues of the chain",
    "alternative locations",
    "copies under one name",
    "loops",
    "mmCIF as the standard allows it",
    "PDB as people write it",
    "confidence",
    "bonds and metals",
    "tables of databases",
    "text or file",
)
REFUSED_AS_GOOD = {b"no/such.fasta"}
"""Seeds that are refused as they are."""


def test_every_kind_is_tried(every_kind):
    assert tuple(every_kind) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_damaged_input(every_kind, name):
    _, read, seeds, divisor = every_kind[name]
    if not name.startswith(
        ("variants", "accessions", "the one box")
    ):  # those begin with every form there is
        for good in seeds:
            if good not in REFUSED_AS_GOOD:
                read(good)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tally = fuzz(name, read, seeds, COUNT // divisor)
    assert not tally.faults, tally.faults[:5]
    assert tally.inputs == COUNT // divisor
    assert tally.read > 0
    assert tally.refused > 0 or name == "lists of variants", "a list reports bad rows instead"


def test_the_fuzzer_finds_faults():
    """A parser that fails in every forbidden way is caught at each."""

    def bad(content: bytes) -> None:
        if len(content) % 3 == 0:
            raise ValueError("a bug")
        if len(content) % 3 == 1:
            raise InputError("two\nlines")

    tally = fuzz("bad", bad, [b"some content"], 300)
    assert any("ValueError" in fault for fault in tally.faults)
    assert any("message" in fault for fault in tally.faults)
    assert tally.read > 0


def test_damage_is_repeatable():
    import random

    content = b"0123456789" * 10
    made = [damaged(content, random.Random(3), [content]) for _ in range(2)]
    assert made[0] == made[1] != content


def test_every_format_is_among_the_files():
    shape = small_structure()
    files = structure_files(shape)
    assert len(files) == 8
    for content in files.values():
        assert read_structure(content, name="x").sequence == shape.sequence
