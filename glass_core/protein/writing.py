"""How changes are written: in one-letter notation and in HGVS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glass_core.protein.change import Change
from glass_core.protein.sequence import THREE_LETTER, UNKNOWN


def write_change(change: Change, wild_type: str = "") -> str:
    """One-letter notation that `notation.read_changes` reads back, such as ``F508del``.

    `wild_type` is needed for an insertion alone, which names its neighbours.
    """
    return _write(change, wild_type, str)


def write_hgvs(changes: Sequence[Change], wild_type: str) -> str:
    """HGVS protein notation, as MAVE-HGVS restricts it.

    ``p.Arg175His``, ``p.Phe508del``, ``p.Lys23_Leu24insArgSer``,
    ``p.Glu746_Ala750delinsPro``; several changes as ``p.[Ala1Pro;Asp2Asn]``.
    """
    parts = [_write(change, wild_type, THREE_LETTER.__getitem__) for change in changes]
    return f"p.{parts[0]}" if len(parts) == 1 else f"p.[{';'.join(parts)}]"


def _write(change: Change, wild_type: str, name: Callable[[str], str]) -> str:
    """`name` writes one residue; an unknown one put in alone is Xaa, for X also meant a stop."""
    put_in = "".join(map(name, change.mutant))
    if not change.wild:
        return _insertion(change, wild_type, put_in, name)
    site = f"{name(change.wild[0])}{change.position}"
    if change.is_substitution:
        return site + (THREE_LETTER[UNKNOWN] if change.mutant == UNKNOWN else put_in)
    if change.end > change.position:
        site += f"_{name(change.wild[-1])}{change.end}"
    return f"{site}delins{put_in}" if change.mutant else f"{site}del"


def _insertion(change: Change, wild_type: str, put_in: str, name: Callable[[str], str]) -> str:
    """Between its two neighbours; at an end there is one, which is rewritten with it."""
    before = wild_type[change.position - 2 : change.position - 1]
    behind = wild_type[change.position - 1 : change.position]
    if change.position == 1:
        return f"{name(behind)}1delins{put_in}{name(behind)}"
    if change.position > len(wild_type):
        return f"{name(before)}{len(wild_type)}delins{name(before)}{put_in}"
    return f"{name(before)}{change.position - 1}_{name(behind)}{change.position}ins{put_in}"
