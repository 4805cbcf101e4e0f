"""The forms in which changes are written, read against the sequence they are of."""

from __future__ import annotations

import re
from itertools import pairwise

from glass_core.errors import VariantError, shown
from glass_core.protein.change import Change
from glass_core.protein.numbering import Numbering
from glass_core.protein.sequence import NONSTANDARD, ONE_LETTER, STANDARD, UNKNOWN, check_residues
from glass_core.protein.writing import write_change

FORMS: dict[str, str] = {
    "R175H": "one-letter",
    "Arg175His": "three-letter",
    "p.Arg175His": "HGVS, also p.(Arg175His)",
    "NP_000537.3:p.Arg175His": "HGVS with a reference, which is not looked up",
    "A1P:D2N": "several changes of one variant, as ProteinGym writes them",
    "p.[Ala1Pro;Asp2Asn]": "the same in HGVS and MAVE-HGVS",
    "F508del": "deletion, also ΔF508 and E746_A750del",
    "K23_L24insRS": "insertion between two neighbours",
    "E746_A750delinsP": "deletion and insertion",
    "K23dup": "duplication, also K23_V25dup",
    "A:R175H": "with the chain of the structure",
    "R175H/Y/C": "several variants of one site",
    "R175": "all 19 variants of a site, also 175",
    "170-180": "all variants of a range",
}
"""Example -> what it is. The last three name several variants at once."""
VARIANT_EXAMPLES = "R175H, p.Arg175His, A1P:D2N or F508del"

_RESIDUE = r"(?:[A-Za-z]{3}|[A-Za-z])"
_NUMBER = r"-?\d+"
_CODE = r"[A-Za-z]??"
_PLACE = r"\(\d+\)"
"""A sequence position, where the numbering has no number for it."""
_LABEL = rf"(?:{_NUMBER}{_CODE}|{_PLACE})"
_GREEDY_LABEL = rf"(?:{_NUMBER}[A-Za-z]?|{_PLACE})"
_CHANGE = re.compile(
    rf"(?P<first>{_RESIDUE})(?P<start>{_LABEL})"
    rf"(?:_(?P<last>{_RESIDUE})(?P<end>{_LABEL}))?"
    rf"(?:(?P<kind>delins|del|ins|dup)(?P<inserted>[A-Za-z]*)|(?P<mutant>{_RESIDUE}|[*=]))"
)
_PLAIN = re.compile(r"([A-Z])([1-9]\d{0,8})([A-Z])")
"""By far the commonest form, read without looking for the others."""
_OLD_DELETION = re.compile(rf"(?:Δ|∆|delta|del)(?P<residue>{_RESIDUE}{_LABEL})")
_ALTERNATIVES = re.compile(
    rf"(?P<site>{_RESIDUE}{_LABEL})(?P<first>{_RESIDUE})(?P<more>(?:/{_RESIDUE})+)"
)
_SITE = re.compile(
    rf"(?P<residue>{_RESIDUE})(?P<number>{_NUMBER}|{_PLACE})|(?P<label>{_GREEDY_LABEL})"
)
_RANGE = re.compile(rf"(?P<first>{_GREEDY_LABEL})\s*[-–]\s*(?P<last>{_GREEDY_LABEL})")
_REFUSED: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"[cgnmr]\..*"),
        "describes DNA or RNA; give the change of the protein, such as p.Arg175His",
    ),
    (re.compile(r"rs\d+"), "is a dbSNP name; give the change of the protein, such as R175H"),
    (
        re.compile(r"[A-Za-z]{1,3}-?\d+[A-Za-z]{0,3}fs\S*"),
        "is a frameshift, whose protein is "
        "another from there on; GLASS compares proteins of one fold",
    ),
    (re.compile(r".*ext.*"), "extends the protein beyond its end; give the whole mutant sequence"),
    (re.compile(r"\??|.*\d\?"), "leaves the effect on the protein open; give the change itself"),
    (re.compile(r"0"), "means that no protein is made; there is nothing to compare"),
    (re.compile(r"="), "is synonymous: it changes nothing in the protein"),
)
_LONGEST_NUMBER = 9


def read_changes(
    core: str, wild_type: str, numbering: Numbering | None = None
) -> tuple[Change, ...]:
    """Read `core` as the changes of one variant, in order.

    Parameters
    ----------
    core : str
        Any of `FORMS` but the last three, without what `written.take_apart` takes off.
    wild_type : str
        The sequence that is changed.
    numbering : Numbering, optional
        What the numbers in `core` mean; positions from 1 by default.

    Raises
    ------
    VariantError
        Not a variant, another residue at the position, a position that is not there, no
        change, a stop, a frameshift, or two changes of one residue.
    """
    numbering = numbering or Numbering.of_sequence(len(wild_type))
    words = [w for w in re.split(r"[:;,\s]+", core) if w]
    if not words:
        raise VariantError(f"variant: is empty; write for example {VARIANT_EXAMPLES}.")
    changes = sorted(
        (_read_change(word, wild_type, numbering) for word in words),
        key=lambda c: (c.position, c.end),
    )
    for before, after in pairwise(changes):
        if not after.follows(before):
            raise VariantError(
                f"variant: {_called(numbering)} {numbering.label(after.position)} is changed "
                "twice; give each residue once."
            )
    return tuple(changes)


def read_plain(text: str, wild_type: str) -> Change | None:
    """``R175H`` as its change, where it is of that form and fits; None otherwise."""
    match = _PLAIN.fullmatch(text)
    if match is None or match[1] == match[3] or match[3] not in STANDARD:
        return None
    position = int(match[2])
    if wild_type[position - 1 : position] != match[1]:
        return None
    return Change(position, match[1], match[3])


def is_change(word: str) -> bool:
    """Whether `word` has the form of one change, whatever the sequence."""
    return _CHANGE.fullmatch(_core(word)) is not None


def has_form(core: str) -> bool:
    """Whether `core` has one of `FORMS`, whatever the sequence; its residues must be some."""
    word = _core(core.strip())
    parts = [part for part in re.split(r"[:;,\s]+", word) if part]
    site, several = _SITE.fullmatch(word), _ALTERNATIVES.fullmatch(word)
    if site is not None:
        return site["residue"] is None or _is_residue(site["residue"])
    if several is not None:
        return _has_residues(several["site"] + several["first"])
    if _RANGE.fullmatch(word):
        return True
    return bool(parts) and all(map(_has_residues, parts))


def _has_residues(part: str) -> bool:
    core = _core(part)
    old = _OLD_DELETION.fullmatch(core)
    match = _CHANGE.fullmatch(f"{old['residue']}del" if old else core)
    if match is None:
        return False
    residues = (match["first"], match["last"], match["mutant"])
    return all(r in (None, "*", "=") or r.upper() == "TER" or _is_residue(r) for r in residues)


def _is_residue(name: str) -> bool:
    return name.upper() in (ONE_LETTER if len(name) == 3 else STANDARD + NONSTANDARD)


def expand(core: str, wild_type: str, numbering: Numbering | None = None) -> list[str] | None:
    """The variants that ``R175H/Y``, ``175`` or ``170-180`` name at once.

    In one-letter notation with positions from 1; None where it is no such text. Ranges pass
    over residues that are none of the 20.

    Raises
    ------
    VariantError
        Such a text, about a position that is not there or another residue.
    """
    numbering = numbering or Numbering.of_sequence(len(wild_type))
    word = _core(core.strip())
    several = _ALTERNATIVES.fullmatch(word)
    if several is not None:
        mutants = [several["first"], *several["more"].strip("/").split("/")]
        changes = [
            _read_change(several["site"] + mutant, wild_type, numbering) for mutant in mutants
        ]
        return list(dict.fromkeys(write_change(change) for change in changes))
    site, span = _SITE.fullmatch(word), _RANGE.fullmatch(word)
    if site is not None and word != "0":
        first = last = _position(word, numbering, site["number"] or site["label"])
        if site["residue"]:
            _check_residue(word, wild_type, numbering, site["residue"], first)
        if wild_type[first - 1] not in STANDARD:
            raise VariantError(f"variant '{word}': the residue there is none of the 20.")
    elif span is not None:
        first = _position(word, numbering, span["first"])
        last = _position(word, numbering, span["last"])
        if last < first:
            raise VariantError(
                f"variant '{shown(word)}': ends before it starts; give the range in order."
            )
    else:
        return None
    return [
        f"{wild_type[p - 1]}{p}{mutant}"
        for p in range(first, last + 1)
        for mutant in STANDARD
        if mutant != wild_type[p - 1] and wild_type[p - 1] in STANDARD
    ]


def _read_change(word: str, wild_type: str, numbering: Numbering) -> Change:
    core = _core(word)
    for form, reason in _REFUSED:
        if form.fullmatch(core):
            raise VariantError(f"variant '{shown(word)}': {reason}.")
    old = _OLD_DELETION.fullmatch(core)
    match = _CHANGE.fullmatch(f"{old['residue']}del" if old else core)
    if match is None:
        raise VariantError(
            f"variant '{shown(word)}': cannot be read; write for example {VARIANT_EXAMPLES}."
        )
    start = _check_site(word, wild_type, numbering, match["first"], match["start"])
    end = (
        _check_site(word, wild_type, numbering, match["last"], match["end"])
        if match["last"]
        else start
    )
    if end < start:
        raise VariantError(
            f"variant '{shown(word)}': ends before it starts; give the range in order."
        )
    wild = wild_type[start - 1 : end]
    if match["mutant"]:
        return _substitution(word, match, start, wild)
    if match["kind"] in ("del", "dup") and match["inserted"]:
        raise VariantError(f"variant '{shown(word)}': nothing may follow '{match['kind']}'.")
    if match["kind"] == "del":
        return Change(start, wild, "")
    if match["kind"] == "dup":
        return Change(end + 1, "", wild)
    put_in = _inserted(word, match["inserted"])
    if match["kind"] == "ins":
        if end != start + 1:
            raise VariantError(
                f"variant '{shown(word)}': an insertion names the two neighbouring residues, "
                "as in K23_L24insRS."
            )
        return Change(end, "", put_in)
    if put_in == wild:
        raise VariantError(_nothing(word, wild))
    return Change(start, wild, put_in)


def _core(word: str) -> str:
    """Without ``p.`` and the parentheses of a predicted change; those of a position stay."""
    core = word[2:] if word[:2] in ("p.", "P.") else word
    if re.search(_PLACE, core):
        return core
    return core[1:-1] if core.startswith("(") and core.endswith(")") else core.strip("()")


def _substitution(word: str, match: re.Match[str], start: int, wild: str) -> Change:
    given = match["mutant"]
    if match["last"]:
        raise VariantError(
            f"variant '{shown(word)}': a range needs del, ins, delins or dup behind it."
        )
    if given == "*" or given.upper() == "TER":
        raise VariantError(
            f"variant '{shown(word)}': a stop truncates the protein; GLASS compares whole chains."
        )
    if given.upper() == UNKNOWN:
        raise VariantError(
            f"variant '{shown(word)}': X has meant a stop and an unknown residue; write * for a "
            "stop, or the residue."
        )
    mutant = wild if given == "=" else _one_letter(word, given)
    if mutant == wild:
        raise VariantError(_nothing(word, wild))
    return Change(start, wild, mutant)


def _nothing(word: str, wild: str) -> str:
    return (
        f"variant '{shown(word)}': is synonymous, it changes nothing; the wild type has "
        f"{shown(wild)} there."
    )


def _check_site(word: str, wild_type: str, numbering: Numbering, residue: str, label: str) -> int:
    position = _position(word, numbering, label)
    _check_residue(word, wild_type, numbering, residue, position)
    return position


def _position(word: str, numbering: Numbering, label: str) -> int:
    """1-based position of a number as written, leading zeros aside."""
    match = re.fullmatch(rf"({_NUMBER})([A-Za-z]?)", label)
    digits, code = (match[1], match[2]) if match else (label, "")
    plain = f"{int(digits)}{code}" if match and len(digits) <= _LONGEST_NUMBER else label
    position = numbering.position(plain)
    if position is not None:
        return position
    cure = "." if numbering.by_sequence else ", some perhaps left out."
    if code and word == label:
        cure = f"; if {code.upper()} is what is put in, write the wild type's residue before it."
    elif code and numbering.kind != "author":
        cure = "; insertion codes belong to author numbers."
    raise VariantError(
        f"variant '{shown(word)}': {_called(numbering)} {label[:12]} is outside the sequence, "
        f"which has {numbering.extent}{cure}"
    )


def _check_residue(
    word: str, wild_type: str, numbering: Numbering, residue: str, position: int
) -> None:
    letter = _one_letter(word, residue)
    if wild_type[position - 1] != letter:
        raise VariantError(
            f"variant '{shown(word)}': {_called(numbering)} {numbering.label(position)} is "
            f"{wild_type[position - 1]}, not {letter}; check the numbering or the wild-type "
            "sequence."
        )


def _called(numbering: Numbering) -> str:
    """What a number is called in a message."""
    return "position" if numbering.by_sequence else numbering.title


def _one_letter(word: str, residue: str) -> str:
    letter = residue.upper() if len(residue) == 1 else ONE_LETTER.get(residue.upper(), "")
    if not letter or letter not in STANDARD + NONSTANDARD:
        raise VariantError(
            f"variant '{shown(word)}': '{residue}' is no residue; write {VARIANT_EXAMPLES}."
        )
    return letter


def _inserted(word: str, letters: str) -> str:
    if not letters:
        raise VariantError(f"variant '{shown(word)}': names no inserted residues.")
    threes = [letters[i : i + 3] for i in range(0, len(letters), 3)]
    if "Ter" in threes or letters.endswith("*"):
        raise VariantError(
            f"variant '{shown(word)}': puts in a stop, which ends the protein; only changes of "
            "its residues are analysed."
        )
    if not letters.isupper() and all(three.upper() in ONE_LETTER for three in threes):
        return "".join(ONE_LETTER[three.upper()] for three in threes)
    return check_residues(letters.upper(), f"variant '{shown(word)}'")
