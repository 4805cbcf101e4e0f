"""PDB files, as the format and as programs write them, in the order of their lines.

Own code, for what parts copies of a chain (the order of lines, TER, END, segments) is lost in
what the libraries return: gemmi 0.7.5 puts atoms of one number together, biotite 1.6.0 takes
digits for no alternative locations and cannot do without occupancies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import StructureError, shown
from glass_core.protein.sequence import ONE_LETTER
from glass_core.protein.structure.assembly import first_assembly
from glass_core.protein.structure.residues import PROTONATED
from glass_core.protein.structure.structure import Origin
from glass_core.protein.structure.table import AtomTable, FileContent

_COORDINATES_END = 54
_WIDTH = 80
_ATOM_RECORDS = ("ATOM", "HETATM")
_EXPERIMENT = re.compile(
    r"X-?RAY|DIFFRACTION|NMR|ELECTRON|MICROSCOPY|SCATTERING|FLUORESCENCE|EPR|CRYSTALLOGRAPHY"
)


def read_pdb(content: bytes, name: str) -> FileContent:
    """The first model of a PDB file and its header.

    Raises
    ------
    StructureError
        A line of an atom cannot be read; it is named.
    ValueError
        Broken otherwise.
    """
    text = content.decode("ascii", errors="replace").replace("\ufffd", "?")
    header: list[str] = []
    rows: list[str] = []
    numbers: list[int] = []
    parts: list[int] = []
    part = 0
    models, ended = 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        record = line[:6].rstrip()
        if line.startswith(_ATOM_RECORDS):
            if ended:
                continue
            rows.append(_in_columns(line, name, number))
            numbers.append(number)
            parts.append(part)
        elif record == "TER":
            part += 1
        elif record == "MODEL":
            models += 1
            ended = ended or bool(rows)
        elif record == "ENDMDL":
            ended = bool(rows)
        else:
            header.append(line)
    notes = (f"The first of {models} models was read.",) if models > 1 else ()
    if ended and models == 0:
        notes = ("Only what stands before the first ENDMDL was read.",)
    return FileContent(
        name,
        _atoms(rows, numbers, parts, name),
        _origin(header),
        _sequences(header),
        _assembly(header),
        notes,
    )


def _in_columns(line: str, name: str, number: int) -> str:
    """The line, 80 letters wide, everything in its column."""
    if "\t" in line:
        line = _without_tabs(line, name, number)
    line = line.rstrip()
    if len(line) < _COORDINATES_END:
        raise _unreadable(name, number, line, "ends before its coordinates do")
    return line[:_WIDTH].ljust(_WIDTH)


def _without_tabs(line: str, name: str, number: int) -> str:
    """A line that some editor parted by tabs, set anew by its words."""
    words = line.split()
    if len(words) < 9:
        raise _unreadable(name, number, line, "has tabs and fewer than nine words")
    record, serial, atom, residue, chain, place = words[:6]
    code = place[-1:] if place[-1:].isalpha() else ""
    # A four-letter name begins a column earlier than a shorter one.
    atom = atom.ljust(4) if len(atom) > 3 else f" {atom:<3}"
    made = (
        f"{record:<6}{serial[-5:]:>5} {atom} {residue:>3} {chain:>1}{place.removesuffix(code):>4}"
        f"{code:<1}   " + "".join(f"{word:>8}" for word in words[6:9])
    )
    figures = [word for word in words[9:] if word[:1] in "-.0123456789"]
    made += "".join(f"{word:>6}" for word in figures[:2])
    element = words[-1] if len(words) > 9 and words[-1].isalpha() else ""
    return f"{made:<76}{element:>2}"


def _atoms(rows: list[str], numbers: list[int], parts: list[int], name: str) -> AtomTable:
    letters = np.array(rows, dtype=f"U{_WIDTH}").reshape(-1).view("U1").reshape(len(rows), _WIDTH)

    def column(first: int, last: int) -> NDArray[np.str_]:
        """Columns as the format counts them, from 1, both included; without blanks."""
        cut = np.ascontiguousarray(letters[:, first - 1 : last])
        return np.char.strip(cut.view(f"U{last - first + 1}").ravel())

    def figures(first: int, last: int, missing: str, what: str) -> NDArray[np.float64]:
        words = column(first, last)
        words = np.where(words == "", missing, words)
        return _numbers(words, float, rows, numbers, name, what).astype(float)

    residue, chain = _names(column(18, 20), column(21, 21), column(22, 22))
    number, code = column(23, 26), column(27, 27)
    # Five figures run into the column of the insertion code, which is a letter.
    long = np.char.isdigit(code) & (np.char.str_len(number) == 4)
    number = np.where(long, np.char.add(number, code), number)
    code = np.where(long, "", code)
    atom = column(13, 16)
    count = len(rows)
    return AtomTable(
        hetero=np.char.startswith(column(1, 6), "HETATM"),
        chain=chain,
        subchain=np.full(count, ""),
        segment=_segments(column(73, 76), chain, number, code),
        number=_numbers(number, _hybrid, rows, numbers, name, "residue number").astype(int),
        code=code,
        residue=residue,
        atom=atom,
        element=_elements(column(77, 78), atom, residue, column(13, 14)),
        location=column(17, 17),
        coord=np.stack(
            [figures(31 + 8 * axis, 38 + 8 * axis, "none", "coordinate") for axis in range(3)],
            axis=1,
        )
        if count
        else np.zeros((0, 3)),
        occupancy=figures(55, 60, "1", "occupancy"),
        b_factor=figures(61, 66, "0", "B-factor"),
        place=np.full(count, -1),
        part=np.array(parts, dtype=int),
    )


def _names(
    residue: NDArray[np.str_], extra: NDArray[np.str_], chain: NDArray[np.str_]
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Residue and chain of each atom.

    The 21st column is the fourth letter of a residue's name or the first of a chain's: the
    chains with two letters are those in which one of the 20 has a letter behind its three.
    """
    four, two = np.char.add(residue, extra), np.char.add(extra, chain)
    standard = np.isin(residue, sorted(ONE_LETTER)) & ~np.isin(four, sorted(PROTONATED))
    of_chain = (extra != "") & np.isin(two, np.unique(two[standard & (extra != "")]))
    return np.where(of_chain, residue, four), np.where(of_chain, two, chain)


def _segments(
    segment: NDArray[np.str_],
    chain: NDArray[np.str_],
    number: NDArray[np.str_],
    code: NDArray[np.str_],
) -> NDArray[np.str_]:
    """Segments where the columns hold names, one for each residue; '' in chains where not.

    Other programs write charges or alternatives there.
    """
    named = np.array([not word or re.fullmatch(r"[A-Za-z0-9]\w*", word) for word in segment], bool)
    same = (chain[1:] == chain[:-1]) & (number[1:] == number[:-1]) & (code[1:] == code[:-1])
    bad = {str(c) for c in chain[~named]}
    bad |= {str(c) for c in chain[1:][same & (segment[1:] != segment[:-1])]}
    return np.where(np.isin(chain, sorted(bad)), "", segment)


def _numbers(
    words: NDArray[np.str_],
    read: Callable[[str], float],
    rows: Sequence[str],
    numbers: Sequence[int],
    name: str,
    what: str,
) -> NDArray[Any]:
    """All words as numbers at once; where one is none, its line is named."""
    try:
        return words.astype(float)
    except ValueError:
        made = []
        for word, row, number in zip(words, rows, numbers, strict=True):
            try:
                made.append(read(str(word)))
            except ValueError:
                said = f"has the {what} '{shown(str(word))}'" if word else f"has no {what}"
                raise _unreadable(name, number, row, said) from None
        return np.array(made)


def _hybrid(word: str) -> int:
    """A residue number, that above 9,999 in base 36 where it must fit four columns.

    R. W. Grosse-Kunstleve's hybrid-36, by biotite.
    """
    from biotite.structure.io.pdb.hybrid36 import decode_hybrid36

    if len(word) != 4 or not word.isalnum():
        return int(word)
    return int(decode_hybrid36(word))


def _elements(
    given: NDArray[np.str_],
    atom: NDArray[np.str_],
    residue: NDArray[np.str_],
    start: NDArray[np.str_],
) -> NDArray[np.str_]:
    """Elements as given; else by the name of an ion or, of other atoms, by their own."""
    from biotite.structure import infer_elements

    given = np.char.upper(given)
    missing = ~np.char.isalpha(given)
    if not missing.any():
        return given
    guessed = np.full(len(given), "", dtype="U2")
    guessed[missing] = infer_elements(atom[missing])
    first = np.char.lstrip(start, "0123456789")
    amino = np.isin(residue, sorted(ONE_LETTER))
    guessed = np.where(amino & (first != ""), first.astype("U1"), guessed)
    return np.where(missing, np.where(atom == residue, residue.astype("U2"), guessed), given)


def _sequences(header: Sequence[str]) -> dict[str, tuple[str, ...]]:
    chains: dict[str, list[str]] = {}
    for line in _records(header, "SEQRES"):
        chains.setdefault(line[10:12].strip(), []).extend(line[19:70].split())
    return {chain: tuple(names) for chain, names in chains.items()}


def _assembly(header: Sequence[str]) -> tuple[Any, ...]:
    import gemmi

    told = [line for line in _records(header, "REMARK") if line[6:10].strip() == "350"]
    return first_assembly(gemmi.read_pdb_string("\n".join(told))) if told else ()


def _origin(header: Sequence[str]) -> Origin:
    """By the records that say what the file is; remarks may be about a template."""
    methods = " ".join(line[6:].upper() for line in _records(header, "EXPDTA"))
    if _EXPERIMENT.search(methods):
        return "experiment"
    title = " ".join(line[6:].upper() for line in _records(header, "TITLE", "HEADER"))
    if "ALPHAFOLD" in title and ("PREDICT" in title or "THEORETICAL MODEL" in methods):
        return "alphafold"
    if methods.strip():
        return "model" if "THEORETICAL" in methods else "experiment"
    return "unknown"


def _records(header: Sequence[str], *records: str) -> Iterator[str]:
    return (line for line in header if line[:6].rstrip() in records)


def _unreadable(name: str, number: int, line: str, said: str) -> StructureError:
    return StructureError(
        f"{name}: cannot be read as PDB, line {number} {said} ('{shown(line.rstrip())}'); mend "
        "the line, or fetch the file again."
    )
