"""What a search found, in sentences."""

from __future__ import annotations

import math

from glass_core.models.fold_chance import SAME_FOLD_TM
from glass_core.protein.alignment import blosum62_letters, blosum62_matrix
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.search.neighbours import Neighbour
from glass_core.search.relatives import LIKELY, Relatives
from glass_core.search.site import SiteColumn


def headline(found: Relatives) -> str:
    """The answer in a line."""
    others, likely = found.others, found.likely
    if not others:
        return "The database holds nothing else than this protein."
    first = others[0]
    if math.isnan(first.fold_chance):
        return f"Nearest: {first.entry.id}, predicted TM-score {first.tm_score:.2f}"
    if not likely:
        return (
            f"No relative found: the nearest, {first.entry.id}, shares the fold with a chance of "
            f"{first.fold_chance:.2f}"
        )
    number = f"{len(likely)} of {len(others)} neighbours probably share"
    if len(likely) == 1:
        number = f"1 of {len(others)} neighbours probably shares"
    return f"{number} its fold; nearest {first.entry.id}, chance {first.fold_chance:.2f}"


def how_read(found: Relatives) -> str:
    """What the numbers are, whose they are and what they are not."""
    told = (
        f"Chance: how often such neighbours of held-out chains had a TM-score of at least "
        f"{SAME_FOLD_TM} by TM-align; from {LIKELY} on a neighbour is called a relative."
        if found.others and not math.isnan(found.others[0].fold_chance)
        else "Nobody has counted how often such a score of this model means the same fold."
    )
    return (
        f"{told} Scores are predicted from the sequences by {found.model.stamp}, alignments by "
        f"{found.aligner}; only what stands under TM-align was measured."
    )


def of_database(found: Relatives) -> str:
    """Which database was searched."""
    meta = found.database
    parts = [f"{meta.count:,} entries", f"made on {meta.created}"]
    if meta.origin:
        parts.insert(0, meta.origin)
    if meta.licence:
        parts.append(meta.licence)
    return ", ".join(parts)


def site_words(column: SiteColumn, protein: Protein, mutant: str = "") -> str:
    """What stands at a site in the neighbours, in a sentence or two."""
    place = protein.named(column.position)
    aligned = column.aligned
    if not aligned:
        return f"No neighbour has a residue that faces {place}."
    counts = ", ".join(f"{letter} {number}" for letter, number in column.counts().items())
    said = (
        f"{len(aligned)} of {len(column.members)} neighbours have a residue at {place}: {counts}."
    )
    if mutant and mutant in STANDARD:
        share, number = column.share(mutant), column.counts().get(mutant, 0)
        said += (
            f" {mutant} stands in {number} of them, {share:.0%} by weight."
            if number
            else f" None has {mutant}."
        )
    return said


def homologue_shares(profile: AlignmentProfile | None, position: int) -> dict[str, float] | None:
    """Letter -> share in a column of the protein's own alignment; None where there is none."""
    if profile is None:
        return None
    column = profile.counts[position - 1]
    total = column.sum()
    if not total > 0:  # NaN too
        return None
    return dict(zip(STANDARD, (column / total).tolist(), strict=True))


def alignment_text(found: Neighbour, site: int | None = None, width: int = 80) -> str:
    """An aligned neighbour beneath the protein, in lines of `width`, with ranges and the site.

    Between the rows ``|`` marks the same residue, ``:`` a similar one by BLOSUM62, ``.`` any
    other pair; ``v`` above a line stands over the site, a 1-based position of the protein.
    """
    made = found.alignment
    if made is None or not len(made):
        return "nothing is alike enough to be aligned"
    top, bottom = made.rows
    first, second = int(made.pairs[0, 0]), int(made.pairs[0, 1])
    lines: list[str] = []
    name = max(len("protein"), len(found.entry.id))
    for begin in range(0, len(top), width):
        upper, lower = top[begin : begin + width], bottom[begin : begin + width]
        marked = _marked(upper, first, site)
        if marked.strip():
            lines.append(f"{'':{name}} {'':5} {marked}".rstrip())
        ends = first + len(upper) - upper.count("-"), second + len(lower) - lower.count("-")
        lines += [
            f"{'protein':{name}} {first + 1:5} {upper} {ends[0]}",
            f"{'':{name}} {'':5} {_between(upper, lower)}".rstrip(),
            f"{found.entry.id:{name}} {second + 1:5} {lower} {ends[1]}",
            "",
        ]
        first, second = ends
    return "\n".join(lines).rstrip()


def _marked(row: str, first: int, site: int | None) -> str:
    """A ``v`` over the site in a row that begins at the 0-based index `first`."""
    marks, index = [], first
    for letter in row:
        here = letter != "-"
        marks.append("v" if here and site is not None and index == site - 1 else " ")
        index += here
    return "".join(marks)


def _between(upper: str, lower: str) -> str:
    alike = blosum62_matrix()

    def mark(a: str, b: str) -> str:
        if "-" in (a, b):
            return " "
        if a == b:
            return "|"
        pair = blosum62_letters(a), blosum62_letters(b)
        return ":" if alike[pair] > 0 else "."

    return "".join(map(mark, upper, lower))
