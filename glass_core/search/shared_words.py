"""Candidates by sequence: entries that share alike words with a query on one diagonal.

Words of four residues, and those that BLOSUM62 scores as alike to a query's, are looked up in
a sorted list of all words of the database; the diagonals with most of them are scored without
gaps (the way of BLAST: Altschul et al., J. Mol. Biol. 215, 403 (1990)). It finds homologues
whose vectors lie apart.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, one_line
from glass_core.protein.alignment import blosum62_matrix
from glass_core.protein.sequence import STANDARD
from glass_core.search.database import RECORDS_FILE, Database, reading_records

WORD = 4
ALIKE = 16
"""Least BLOSUM62 score of a word that counts as a query's; a word with itself has 16 to 44."""
MOST_DIAGONALS = 2_000
"""Of a query that are scored, those with most words first."""
MOST_RESIDUES = 50_000_000
"""Of a database whose words are sorted when they are needed; larger ones keep them in a folder."""
WORDS_FOLDER = "words"
_NONE = len(STANDARD)
"""Number of a letter that stands for no residue."""
_WORDS = len(STANDARD) ** WORD


@dataclass(frozen=True, eq=False)
class WordIndex:
    """All words of some sequences.

    Attributes
    ----------
    letters : ndarray, shape=(R,), dtype=uint8
        All sequences, one behind the other; 0 to 19 in the order of `STANDARD`, 20 for others.
    begins : ndarray, shape=(n + 1,), dtype=int64
        Where each sequence begins in `letters`.
    places : ndarray, shape=(w,), dtype=int64
        Where words begin in `letters`, those of one word together.
    starts : ndarray, shape=(160001,), dtype=int64
        Where each word begins in `places`.
    """

    letters: NDArray[np.uint8]
    begins: NDArray[np.int64]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]

    @staticmethod
    def of(sequences: Iterable[str]) -> WordIndex:
        """The index of sequences, in their order."""
        parts = [_numbers(one) for one in sequences]
        letters = np.concatenate([*parts, np.full(WORD, _NONE, np.uint8)])
        begins = np.concatenate([[0], np.cumsum([len(one) for one in parts])])
        length = len(letters) - WORD
        words, whole = np.zeros(length, np.int64), np.ones(length, bool)
        for shift in range(WORD):
            some = letters[shift : shift + length]
            words = words * len(STANDARD) + some
            whole &= some < _NONE
        for shift in range(1, WORD):  # none goes over the end of its sequence
            ends = begins[1:] - shift
            whole[ends[(ends >= 0) & (ends < length)]] = False
        places = np.flatnonzero(whole)
        order = np.argsort(words[places], kind="stable")
        starts = np.searchsorted(words[places[order]], np.arange(_WORDS + 1))
        return WordIndex(letters, begins, places[order], starts)

    def __len__(self) -> int:
        return len(self.begins) - 1

    def candidates(self, query: str, top: int) -> NDArray[np.int64]:
        """The sequences with the best stretches without gaps, the best first; at most `top`."""
        asked = _numbers(query)
        targets, shifts = self._diagonals(asked)
        best: dict[int, int] = {}
        for target, shift in zip(targets.tolist(), shifts.tolist(), strict=True):
            score = self._stretch(asked, target, shift)
            best[target] = max(score, best.get(target, 0))
        ranked = sorted(best, key=lambda one: (-best[one], one))
        return np.array(ranked[:top], np.int64)

    def _diagonals(self, asked: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sequences and shifts against the query that have most alike words."""
        found = []
        for place in range(len(asked) - WORD + 1):
            word = asked[place : place + WORD]
            if (word < _NONE).all():
                where = self._where(_alike(word))
                found.append((where, np.full(len(where), place)))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        where, places = (np.concatenate([pair[k] for pair in found]) for k in (0, 1))
        target = np.searchsorted(self.begins, where, side="right") - 1
        shift = where - self.begins[target] - places
        span = int(np.diff(self.begins).max()) + len(asked) + 1
        keys, counts = np.unique(target * span + shift + len(asked), return_counts=True)
        kept = keys[np.argsort(-counts, kind="stable")[:MOST_DIAGONALS]]
        return kept // span, kept % span - len(asked)

    def _where(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of all these words."""
        first, counts = self.starts[words], self.starts[words + 1] - self.starts[words]
        before = np.cumsum(counts) - counts
        return np.asarray(self.places[np.repeat(first - before, counts) + np.arange(counts.sum())])

    def _stretch(self, asked: NDArray[np.uint8], target: int, shift: int) -> int:
        """Score of the best stretch of a diagonal."""
        letters = self.letters[self.begins[target] : self.begins[target + 1]]
        begin, end = max(0, -shift), min(len(asked), len(letters) - shift)
        sums = np.cumsum(_pair_scores()[asked[begin:end], letters[begin + shift : end + shift]])
        lowest = np.minimum.accumulate(np.concatenate([[0], sums[:-1]]))
        return int((sums - lowest).max(initial=0))

    def save(self, folder: Path) -> None:
        """Write it into a folder, which is there when it is whole."""
        unfinished = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for field in fields(self):
            np.save(unfinished / f"{field.name}.npy", getattr(self, field.name))
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)

    @staticmethod
    def open(folder: Path) -> WordIndex:
        """Map what `save` wrote.

        Raises
        ------
        InputError
            It is damaged.
        """
        try:
            arrays: dict[str, Any] = {
                field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r", allow_pickle=False)
                for field in fields(WordIndex)
            }
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"{folder}: is damaged ({one_line(error)}); build it anew: glass database index."
            ) from error
        return WordIndex(**arrays)


def word_index(database: Database) -> WordIndex | None:
    """The words of a database; None where it has no sequences, or too many and keeps no words.

    Raises
    ------
    InputError
        What it keeps is damaged, or of another state of the database.
    """
    folder = database.folder / WORDS_FOLDER
    if folder.is_dir():
        kept = _opened(folder, max(one.stat().st_mtime_ns for one in (folder, *folder.iterdir())))
        if len(kept) != len(database):
            raise InputError(
                f"{folder}: is of another state of the database; build it anew: glass database "
                "index."
            )
        return kept
    if not database.meta.residues or database.meta.residues > MOST_RESIDUES:
        return None
    records = database.folder / RECORDS_FILE
    return _sorted_words(records, records.stat().st_mtime_ns)


def keep_words(database: Database) -> Path | None:
    """Write the words of a database beside it; None where it has no sequences."""
    if not database.meta.residues:
        return None
    folder = database.folder / WORDS_FOLDER
    WordIndex.of(_sequences(database.folder / RECORDS_FILE)).save(folder)
    return folder


@lru_cache(maxsize=2)
def _opened(folder: Path, stamp: int) -> WordIndex:
    return WordIndex.open(folder)


@lru_cache(maxsize=2)
def _sorted_words(records: Path, stamp: int) -> WordIndex:
    return WordIndex.of(_sequences(records))


def _sequences(records: Path) -> Iterator[str]:
    import pyarrow.parquet as pq

    with reading_records(records.parent), pq.ParquetFile(records) as file:
        for batch in file.iter_batches(columns=["sequence"]):
            yield from batch["sequence"].to_pylist()


def _numbers(sequence: str) -> NDArray[np.uint8]:
    """Number of each letter of a sequence."""
    return _letter_numbers()[np.frombuffer(sequence.encode("ascii"), np.uint8)]


@lru_cache(maxsize=1)
def _letter_numbers() -> NDArray[np.uint8]:
    numbers = np.full(128, _NONE, np.uint8)
    numbers[[ord(letter) for letter in STANDARD]] = np.arange(len(STANDARD))
    return numbers


@lru_cache(maxsize=1)
def _pair_scores() -> NDArray[np.int64]:
    """BLOSUM62 of all pairs of numbers, shape=(21, 21); a letter that is none counts -1."""
    scores = np.full((_NONE + 1, _NONE + 1), -1)
    matrix = blosum62_matrix()
    scores[:_NONE, :_NONE] = [[int(matrix[a, b]) for b in STANDARD] for a in STANDARD]
    return scores


@lru_cache(maxsize=1)
def _two_letter_scores() -> NDArray[np.int64]:
    """Scores of all pairs of two-letter words, shape=(400, 400)."""
    one = _pair_scores()[:_NONE, :_NONE]
    return (one[:, None, :, None] + one[None, :, None, :]).reshape(_NONE**2, _NONE**2)


def _alike(word: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Numbers of the words that are alike to a word."""
    first, second = int(word[0]) * _NONE + int(word[1]), int(word[2]) * _NONE + int(word[3])
    scores = _two_letter_scores()
    return np.flatnonzero((scores[first][:, None] + scores[second]).ravel() >= ALIKE)
