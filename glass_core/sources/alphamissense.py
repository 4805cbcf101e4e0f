"""AlphaMissense's scores of human proteins, as AlphaFold DB has them.

Cheng et al., "Accurate proteome-wide missense variant effect prediction with AlphaMissense",
Science 381, eadg7492 (2023).
"""

from __future__ import annotations

import csv
import hashlib
import math
import re

import numpy as np

from glass_core.errors import SourceError, shown
from glass_core.protein.external import UNCLASSED, ExternalScores
from glass_core.protein.sequence import STANDARD
from glass_core.sources.alphafold import SERVICE, Model
from glass_core.sources.fetch import Answer, Fetcher

LICENCE = "CC BY 4.0"
"""Of the predictions, as AlphaMissense's authors and AlphaFold DB state it."""
CITATION = "Cheng et al., Science 381, eadg7492 (2023)"
CLASSES = ("likely benign", "ambiguous", "likely pathogenic")
_SPELLINGS = {
    spelling: number
    for number, spellings in enumerate(
        (
            ("lben", "benign", "likely_benign"),
            ("amb", "ambiguous"),
            ("lpath", "pathogenic", "likely_pathogenic"),
        )
    )
    for spelling in spellings
}
"""How files call the classes, in small letters; they differ between releases."""
_VARIANT, _SCORE, _CLASS = "protein_variant", "am_pathogenicity", "am_class"
_SUBSTITUTION = re.compile(r"([A-Z])([1-9][0-9]{0,5})([A-Z])")
_MOST = 20_000_000
"""Bytes; the table of 2,700 residues has about one million."""


def scores(found: Model, sequence: str, fetcher: Fetcher) -> tuple[ExternalScores, Answer]:
    """The scores of the substitutions of `sequence`, UniProt's, that the model's entry links to.

    Raises
    ------
    SourceError
        They cannot be fetched, are damaged, or are of another sequence.
    """
    answer = fetcher.get(found.substitutions_url, most=_MOST)
    return read_scores(answer, sequence, found.id), answer


def read_scores(answer: Answer, sequence: str, entry: str) -> ExternalScores:
    """Read a table with the columns ``protein_variant``, ``am_pathogenicity``, ``am_class``.

    Substitutions that it lacks are NaN.

    Raises
    ------
    SourceError
        It is no such table, or one of another sequence; names the line.
    """
    name = f"AlphaMissense's table of {entry}"
    score = np.full((len(sequence), len(STANDARD)), np.nan)
    classes = np.full(score.shape, UNCLASSED, dtype=np.int8)
    try:
        table = csv.DictReader(answer.content.decode("utf-8-sig").splitlines(), strict=True)
        lacking = {_VARIANT, _SCORE, _CLASS} - set(table.fieldnames or ())
        if lacking:
            raise SourceError(f"{name}: has no column {min(lacking)}.")
        for row in table:
            where = f"{name}, line {table.line_num}"
            place = _place(row[_VARIANT] or "", sequence, where)
            if not np.isnan(score[place]):
                raise SourceError(f"{where}: has {row[_VARIANT]} a second time.")
            score[place] = _pathogenicity(row[_SCORE] or "", where)
            classes[place] = _class(row[_CLASS] or "", where)
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{name}: is no table of comma-separated values.") from error
    if np.isnan(score).all():
        raise SourceError(f"{name}: has no rows.")
    return ExternalScores(
        kind="alphamissense",
        name="AlphaMissense",
        source=f"{SERVICE}, {entry}",
        version=f"SHA-256 {hashlib.sha256(answer.content).hexdigest()[:12]}",
        licence=LICENCE,
        citation=CITATION,
        scale="pathogenicity, 0 to 1, higher = more damaging",
        higher_is_damaging=True,
        sequence=sequence,
        score=score,
        retrieved=answer.date,
        class_names=CLASSES,
        classes=classes,
    )


def _place(text: str, sequence: str, where: str) -> tuple[int, int]:
    """0-based position and letter of a substitution such as ``M1A``."""
    found = _SUBSTITUTION.fullmatch(text.strip())
    if found is None or found[3] not in STANDARD or found[1] == found[3]:
        raise SourceError(f"{where}: '{shown(text, 20)}' is no substitution.")
    index = int(found[2]) - 1
    if sequence[index : index + 1] != found[1]:
        has = f"has {sequence[index]}" if index < len(sequence) else "ends before"
        raise SourceError(f"{where}: {found[0]} is of another sequence, UniProt's {has} there.")
    return index, STANDARD.index(found[3])


def _pathogenicity(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise SourceError(f"{where}: '{shown(text, 20)}' is no number from 0 to 1.")
    return value


def _class(text: str, where: str) -> int:
    number = _SPELLINGS.get(text.strip().lower())
    if number is None:
        raise SourceError(f"{where}: '{shown(text, 20)}' is no class of AlphaMissense.")
    return number
