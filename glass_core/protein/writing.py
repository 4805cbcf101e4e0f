"""How changes are written: in one-letter notation and in HGVS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glass_core.protein.change import Change
from glass_core.protein.sequence import THREE_LETTER, UNKNOWN

Label = Callable[[int], str]
"""The number of a 1-based position, as `Numbering.label` has it."""


def write_change(change: Change, wild_type: str = "", label: Label = str) -> str:
    """One-letter notation that `notation.read_changes` reads back, such as ``F508del``.

    `wild_type` is needed for an insertion alone, which names its neighbours. `label` numbers
    the positions; by default they are those of the sequence.
    """
    return _write(change, wild_type, str, label)


def write_changes(changes: Sequence[Change], wild_type: str, label: Label = str) -> str:
    """Several changes of one variant, joined by a colon; see `write_change`."""
    return ":".join(write_change(change, wild_type, label) for change in changes)


def write_hgvs(changes: Sequence[Change], wild_type: str, label: Label = str) -> str:
    """HGVS protein notation, as MAVE-HGVS restricts it; `label` as of `write_change`.

    ``p.Arg175His``, ``p.Phe508del``, ``p.Lys23_Leu24insArgSer``,
    ``p.Glu746_Ala750delinsPro``; several changes as ``p.[Ala1Pro;Asp2Asn]``.
    """
    parts = [_write(change, wild_type, THREE_LETTER.__getitem__, label) for change in changes]
    return f"p.{parts[0]}" if len(parts) == 1 else f"p.[{';'.join(parts)}]"


def _write(change: Change, wild_type: str, name: Callable[[str], str], label: Label) -> str:
    """`name` writes one residue; an unknown one put in alone is Xaa, for X also meant a stop."""
    put_in = "".join(map(name, change.mutant))
    if not change.wild:
        return _insertion(change, wild_type, put_in, name, label)
    site = f"{name(change.wild[0])}{label(change.position)}"
    if change.is_substitution:
        return site + (THREE_LETTER[UNKNOWN] if change.mutant == UNKNOWN else put_in)
    if change.end > change.position:
        site += f"_{name(change.wild[-1])}{label(change.end)}"
    return f"{site}delins{put_in}" if change.mutant else f"{site}del"


def _insertion(
    change: Change, wild_type: str, put_in: str, name: Callable[[str], str], label: Label
) -> str:
    """Between its two neighbours; at an end there is one, which is rewritten with it."""
    before = wild_type[change.position - 2 : change.position - 1]
    behind = wild_type[change.position - 1 : change.position]
    if change.position == 1:
        return f"{name(behind)}{label(1)}delins{put_in}{name(behind)}"
    last = label(change.position - 1)
    if change.position > len(wild_type):
        return f"{name(before)}{last}delins{name(before)}{put_in}"
    return f"{name(before)}{last}_{name(behind)}{label(change.position)}ins{put_in}"
