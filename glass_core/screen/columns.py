"""The columns of a screen's table, and what variants can be ranked by: the one place.

The store's types, whole numbers, hover texts, first views and the data dictionary follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from glass_core.models.alignment import ALIGNMENT_COLUMNS
from glass_core.models.heads.kinds import head_kind, told_columns
from glass_core.records import Column

SCREEN_FORMAT = "glass-screen/2"
"""Of the exported table; format 1 had no number and called `measured_value` score."""
RENAMED = {"score": "measured_value"}
"""Columns of format 1 -> what they are called today."""
T = TypeVar("T")


TOLD_COLUMNS = told_columns() | ALIGNMENT_COLUMNS
"""What heads tell, predicted all of it, and what homologues do."""


def _external_columns(
    kind: str, title: str, meaning: str, span: str = "", digits: int = 2
) -> dict[str, Column]:
    """The score of a kind of `ExternalScores`, and its percentile."""
    return {
        kind: Column(
            f"external: {meaning}",
            span=span,
            title=f"{title} (external)",
            shown=True,
            digits=digits,
        ),
        f"{kind}_percentile": Column(
            "external: percent of all single substitutions of the protein with a score that it "
            "calls less damaging",
            "%",
            "0 to 100",
            title=f"{title} percentile (external)",
            digits=0,
        ),
    }


_ESM2 = "natural log-odds by ESM-2 of the new residue against the wild type's"
EXTERNAL_COLUMNS = {
    **_external_columns(
        "alphamissense",
        "AlphaMissense",
        "pathogenicity by AlphaMissense, of human proteins that were looked up, high = damaging",
        "0 to 1",
        3,
    ),
    "alphamissense_class": Column(
        "external: what its authors class it as",
        span="likely benign, ambiguous, likely pathogenic",
        kind="text",
        title="AlphaMissense class (external)",
        shown=True,
    ),
    **_external_columns(
        "esm2",
        "ESM-2",
        f"{_ESM2}, from one pass over the wild type, low = damaging. Several substitutions: "
        "their sum",
    ),
    **_external_columns(
        "esm2_masked",
        "ESM-2 masked",
        f"{_ESM2}, with the position hidden from it, low = damaging. Several substitutions: "
        "their sum",
    ),
    "external_source": Column(
        "external: whose these scores are: name, source, version and licence of each", kind="text"
    ),
}
"""Other people's scores, by kind; nothing of ours is computed from them."""

SCREEN_COLUMNS: dict[str, Column] = {
    "row": Column("number of the entry in the input", span="1 and up", kind="whole"),
    "protein": Column(
        "name of the wild type, up to its first space", kind="text", title="protein", shown=True
    ),
    "written": Column(
        "the variant as the user counts, see numbering; (5) is sequence position 5, which has no "
        "number there. What could not be read stands as given",
        kind="text",
        title="variant",
        shown=True,
    ),
    "given": Column(
        "as it stood in the input; of a mutant sequence its name",
        kind="text",
        title="as given",
        shown=True,
    ),
    "variant": Column(
        "as read; positions count from 1. What could not be read stands as given",
        kind="text",
        title="variant by sequence position",
        shown=True,
    ),
    "numbering": Column("how written is counted", kind="text", title="numbering"),
    "hgvs": Column(
        "the same in HGVS and MAVE-HGVS notation, in positions of the sequence given",
        kind="text",
        title="HGVS",
    ),
    "position": Column("first changed residue", span="1 to the length", kind="whole"),
    "changes": Column("number of changes", span="1 and up", kind="whole"),
    "wild_type": Column("residue(s) taken out; several changes joined by ':'", kind="text"),
    "mutant": Column("residue(s) put in; empty for a deletion", kind="text"),
    "chain": Column(
        "author chain of the first changed residue; empty without coordinates", kind="text"
    ),
    "author_number": Column(
        "its author residue number with insertion code",
        kind="text",
        title="author number",
        shown=True,
    ),
    "uniprot_position": Column(
        "its UniProt position, where it is known",
        span="1 and up",
        kind="whole",
        title="UniProt position",
        shown=True,
    ),
    "secondary_structure": Column(
        "of the first changed residue in the wild-type structure",
        span="H helix, E strand, C coil, - no coordinates",
        kind="text",
        title="secondary structure",
        shown=True,
    ),
    "neighbours": Column(
        "C-alpha within 10 Å of it in the wild-type structure, its burial",
        "count",
        "0 and up",
        kind="whole",
        title="neighbours",
        shown=True,
    ),
    **TOLD_COLUMNS,
    **EXTERNAL_COLUMNS,
    "blosum62": Column(
        "BLOSUM62 score, the baseline; low = unlike. Several: their sum",
        span="-4 to 3 each",
        kind="whole",
        title="BLOSUM62",
        shown=True,
    ),
    "measured_tm": Column(
        "TM-score measured on remodelled structures, mean over seeds",
        span="0 to 1",
        title="TM-score (measured)",
        shown=True,
    ),
    "measured_lddt_site": Column(
        "lDDT measured there, mean over the changed residues",
        span="0 to 1",
        title="lDDT at the site (measured)",
        shown=True,
    ),
    "measured_strain_site": Column(
        "effective strain measured there: mean relative change of the vectors to neighbours, mean "
        "over the changed residues",
        span="0 and above",
        title="strain at the site (measured)",
        shown=True,
    ),
    "above_floor_lddt": Column(
        "residues whose measured lDDT lies below that of the wild type remodelled to itself, at a "
        "false-discovery rate of 5%; lDDT sees no shift under 0.5 Å",
        "count",
        "0 and up",
        kind="whole",
        title="residues above the noise, by lDDT (measured)",
    ),
    "above_floor_strain": Column(
        "residues whose measured strain rises above that of the wild type remodelled to itself, "
        "at a false-discovery rate of 5%",
        "count",
        "0 and up",
        kind="whole",
        title="residues above the noise, by strain (measured)",
        shown=True,
    ),
    "protocol": Column(
        "how the mutant structure was made, with seeds; empty without one",
        kind="text",
        title="protocol",
    ),
    "label": Column(
        "the input's own label: 1 damaging, 0 tolerated",
        span="0 or 1",
        kind="whole",
        title="label",
        shown=True,
    ),
    "measured_value": Column(
        "the input's own measured value", title="your measured value", shown=True
    ),
    "status": Column(
        "how far it got",
        span="done, waiting, rejected (not read) or failed",
        kind="text",
        title="status",
        shown=True,
    ),
    "reason": Column(
        "why it was rejected or failed, or why to doubt the numbers",
        kind="text",
        title="reason",
        shown=True,
    ),
    "analysis": Column(
        "id of the analysis of this variant that is kept beside the screen, to be opened on the "
        "Impact page; empty where there is none",
        kind="text",
        title="analysis",
    ),
    "model": Column(
        "the model that predicted, with version and the start of its SHA-256", kind="text"
    ),
}
"""Column -> what it is. Empty means no value, never 0."""


@dataclass(frozen=True)
class Ranking:
    """A way to order variants, highest = most damaging.

    Attributes
    ----------
    title : str
        For a reader.
    column : str
        Of `SCREEN_COLUMNS`.
    turned_at : float or None
        Where low values of the column are the damaging ones: the ranking is this minus it.
    """

    title: str
    column: str
    turned_at: float | None = None

    def of(self, values: T) -> T:
        """The ranking from values of its column: a number, an array or a series."""
        if self.turned_at is None:
            return values
        turned: Any = values
        return cast(T, self.turned_at - turned)

    @property
    def external(self) -> bool:
        """Whether it goes by other people's scores."""
        return self.column in EXTERNAL_COLUMNS

    @property
    def sql(self) -> str:
        """The same in SQL."""
        quoted = f'"{self.column}"'
        return quoted if self.turned_at is None else f"({self.turned_at} - {quoted})"


DEFAULT_RANKING = "p_combined"
RANKINGS: dict[str, Ranking] = {
    **{n: Ranking(c.ranking, n) for n, c in TOLD_COLUMNS.items() if c.ranking},
    "lddt_deficit": Ranking("predicted lDDT deficit at the site", "predicted_lddt_site", 1.0),
    "tm_deficit": Ranking("predicted TM-score deficit", "predicted_tm", 1.0),
    "estimated_lddt_deficit": Ranking(
        "estimated lDDT deficit at the site", "estimated_lddt_site", 1.0
    ),
    "estimated_tm_deficit": Ranking("estimated TM-score deficit", "estimated_tm", 1.0),
    "alignment_log_odds": Ranking("rarity among homologues", "alignment_log_odds", 0.0),
    "blosum62": Ranking("BLOSUM62, turned round", "blosum62", 0.0),
    "alphamissense": Ranking("AlphaMissense (external)", "alphamissense"),
    "esm2": Ranking("ESM-2, turned round (external)", "esm2", 0.0),
    "esm2_masked": Ranking("ESM-2 masked, turned round (external)", "esm2_masked", 0.0),
}
"""What variants can be ranked by; the first leads."""


def rankings_of(heads: Iterable[str]) -> list[str]:
    """The names in `RANKINGS` for a model with these heads: what they tell, and what needs none."""
    told = {column for head in heads for column in head_kind(head).tells}
    of_heads = told_columns()
    return [n for n, r in RANKINGS.items() if r.column in told or r.column not in of_heads]
