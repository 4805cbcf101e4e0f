"""Neighbours as rows and as JSON: one name for each value, whoever writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glass_core.records import Column, nullable
from glass_core.search.alignment import Alignment
from glass_core.search.neighbours import Neighbour

NEIGHBOUR_COLUMNS: dict[str, Column] = {
    "query_id": Column("the query, by the first word of its name", kind="text"),
    "rank": Column(
        "1 = nearest: by the score of the alignment, by predicted TM-score where none was asked "
        "for",
        span="1 and above",
        kind="whole",
    ),
    "database_id": Column("the entry of the database", kind="text"),
    "tm-score": Column(
        "predicted TM-score, a cosine of both vectors, cut off at 0 and 1", span="0 to 1"
    ),
    "fold_chance": Column(
        "how often pairs of held-out chains with such a score shared a fold: TM-score of at "
        "least 0.5 by TM-align; empty where nobody has counted",
        span="0 to 1",
    ),
    "is_query": Column("whether it is the query's own sequence", span="0 or 1", kind="whole"),
    "query_begin": Column("first aligned position of the query", kind="whole"),
    "query_end": Column("last aligned position of the query", kind="whole"),
    "database_begin": Column("first aligned position of the entry", kind="whole"),
    "database_end": Column("last aligned position of the entry", kind="whole"),
    "identity": Column("share of the aligned pairs that are the same residue", span="0 to 1"),
    "coverage": Column("share of the query's residues that are aligned", span="0 to 1"),
    "alignment_score": Column("of the alignment, by the length of the query"),
    "confirmed_tm": Column(
        "TM-score by TM-align of both structures, by the query's length; empty without them",
        span="0 to 1",
    ),
    "site": Column("residue of the entry that faces the site; '-' for none", kind="text"),
    "length": Column("residues of the entry", kind="whole"),
    "labels": Column("its classes, as the database has them", kind="text"),
    "description": Column("what its source says of it", kind="text"),
}
"""Of tables of neighbours; the first four are those of TM-Vec."""


def neighbour_row(found: Neighbour, site: int | None = None) -> dict[str, Any]:
    """A row of `NEIGHBOUR_COLUMNS`; None where there is no value.

    Parameters
    ----------
    site : int, optional
        Position of the query, from 1.
    """
    made, entry = found.alignment, found.entry
    query_range = (None, None) if made is None else made.query_range or (None, None)
    target_range = (None, None) if made is None else made.target_range or (None, None)
    return {
        "query_id": found.query_id,
        "rank": found.rank,
        "database_id": entry.id,
        "tm-score": found.tm_score,
        "fold_chance": nullable(found.fold_chance),
        "is_query": int(found.is_query),
        "query_begin": query_range[0],
        "query_end": query_range[1],
        "database_begin": target_range[0],
        "database_end": target_range[1],
        "identity": None if made is None else nullable(made.identity),
        "coverage": None if made is None else made.coverage,
        "alignment_score": None if made is None else made.normalised_score,
        "confirmed_tm": None if found.confirmed is None else found.confirmed.tm_score,
        "site": None if made is None or site is None else facing_letter(made, site),
        "length": len(entry) or None,
        "labels": entry.labels,
        "description": entry.description,
    }


def facing_letter(made: Alignment, site: int) -> str:
    """The target's residue that faces position `site` of the query; '-' for none."""
    index = made.facing(site - 1)
    return "-" if index is None else made.target[index]


def neighbour_dict(found: Neighbour, site: int | None = None) -> dict[str, Any]:
    """What ``search --json`` prints of a neighbour."""
    row = neighbour_row(found, site)
    made = found.alignment
    told = {
        name: row[name]
        for name in (
            "query_id", "rank", "database_id", "fold_chance", "identity", "coverage",
            "confirmed_tm", "length", "labels", "description",
        )
    }  # fmt: skip
    told["tm_score"] = row["tm-score"]
    told["is_query"] = found.is_query
    told["alignment"] = None if made is None else alignment_dict(made)
    told["site"] = None
    if made is not None and site is not None:
        index = made.facing(site - 1)
        told["site"] = {
            "position": site,
            "query": made.query[site - 1],
            "residue": facing_letter(made, site),
            "database_position": None if index is None else index + 1,
            "confidence": nullable(made.confidence_at(site - 1)),
        }
    return told


def alignment_dict(made: Alignment) -> dict[str, Any]:
    """What ``align --json`` prints, and ``search --json`` of each alignment."""
    query, target = made.rows
    return {
        "query": query,
        "target": target,
        "score": made.normalised_score,
        "query_range": made.query_range,
        "target_range": made.target_range,
        "identity": nullable(made.identity),
        "coverage": made.coverage,
        "confidence": made.confidence.tolist(),
    }


def as_a3m(query_name: str, query: str, neighbours: Iterable[Neighbour]) -> str:
    """The query and all aligned neighbours as A3M: insertions in lower case."""
    rows = [f">{query_name}\n{query}\n"]
    for one in neighbours:
        if one.alignment is not None and not one.is_query and len(one.alignment):
            rows.append(f">{one.entry.id}\n{a3m_row(one.alignment)}\n")
    return "".join(rows)


def a3m_row(made: Alignment) -> str:
    """The target as a row of A3M below the whole query."""
    row: list[str] = []
    ahead, behind = 0, None
    for a, b in made.pairs.tolist():
        row += ["-"] * (a - ahead)
        if behind is not None:
            row.append(made.target[behind + 1 : b].lower())
        row.append(made.target[b])
        ahead, behind = a + 1, b
    return "".join(row) + "-" * (len(made.query) - ahead)
