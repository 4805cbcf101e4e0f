"""Which heads there are, and what each tells.

Importing this loads no torch.
"""

from __future__ import annotations

from glass_core.errors import ModelError
from glass_core.models.heads.base import HeadKind
from glass_core.records import Column

_PREDICTED_TM = Column(
    "predicted TM-score, normalised by the wild type; a cosine",
    span="-1 to 1, 1 = same fold",
    title="TM-score (predicted)",
    shown=True,
)
_EFFECT = {
    "p_damaging": Column(
        "predicted, calibrated chance that a clinical database would call it damaging, by the "
        "effect head alone",
        span="0 to 1",
        title="clinical likeness",
        shown=True,
        ranking="clinical likeness",
    ),
    "damaging_percentile": Column(
        "percent of all single substitutions of the protein with a lower p_damaging",
        "%",
        "0 to 100",
        title="percentile of clinical likeness",
        digits=0,
    ),
    "effect": Column(
        "predicted effect score, higher = more damaging; compare within one protein "
        "only. Several substitutions: their sum",
        title="effect score",
        shown=True,
        ranking="effect score",
    ),
    "site_rank": Column(
        "rank among the 19 substitutions of the site by effect, 1 = most damaging",
        span="1 to 19",
        kind="whole",
        title="rank of the effect score at the site",
    ),
    "percentile_site": Column(
        "percent of the 19 substitutions of the site with a lower effect",
        "%",
        "0 to 100",
        title="percentile of the effect score at the site",
        shown=True,
        digits=0,
    ),
    "percentile_protein": Column(
        "percent of all single substitutions of the protein with a lower effect",
        "%",
        "0 to 100",
        title="percentile of the effect score",
        shown=True,
        digits=0,
    ),
    "effect_structure": Column(
        "whether the structure was read for it (1), or the sequence alone (0)",
        span="0 or 1",
        kind="whole",
        title="effect from structure",
    ),
}
HEADS = (
    HeadKind(
        "combined",
        "combined.safetensors",
        {
            "p_combined": Column(
                "predicted, calibrated chance that a clinical database would call it damaging, "
                "from all evidence at hand: effect and stability, the structure and an alignment "
                "where they are there",
                span="0 to 1",
                title="chance of being damaging",
                shown=True,
                ranking="chance of being damaging",
            ),
            "combined_percentile": Column(
                "percent of all single substitutions of the protein with a lower p_combined",
                "%",
                "0 to 100",
                title="percentile of the chance",
                shown=True,
                digits=0,
            ),
            "combined_structure": Column(
                "whether p_combined rests on the structure (1) or not (0)",
                span="0 or 1",
                kind="whole",
                title="chance from structure",
            ),
            "combined_alignment": Column(
                "whether p_combined rests on an alignment (1) or not (0)",
                span="0 or 1",
                kind="whole",
                title="chance from alignment",
            ),
        },
        takes="tables",
    ),
    HeadKind("effect", "effect.safetensors", _EFFECT),
    HeadKind("structure_effect", "structure_effect.safetensors", _EFFECT, takes="either"),
    HeadKind(
        "stability",
        "stability.safetensors",
        {
            "ddg": Column(
                "predicted change of folding stability, positive = destabilising. Several "
                "substitutions: 0.75 times their sum, as measured ones are less than the sum",
                "kcal/mol",
                title="ΔΔG (predicted)",
                shown=True,
                digits=2,
                ranking="loss of stability",
            ),
            "ddg_low": Column(
                "a measured ddG lies above it with a chance of 95%",
                "kcal/mol",
                title="ΔΔG from",
                digits=2,
            ),
            "ddg_high": Column(
                "a measured ddG lies below it with a chance of 95%",
                "kcal/mol",
                title="ΔΔG to",
                digits=2,
            ),
            "ddg_percentile": Column(
                "percent of all single substitutions of the protein with a lower ddG",
                "%",
                "0 to 100",
                title="ΔΔG percentile",
                digits=0,
            ),
            "ddg_structure": Column(
                "whether the structure was read for it (1), or the sequence alone (0)",
                span="0 or 1",
                kind="whole",
                title="ΔΔG from structure",
            ),
        },
        takes="either",
    ),
    HeadKind(
        "siamese",
        "head.safetensors",
        {
            "predicted_tm": _PREDICTED_TM,
            "predicted_lddt_site": Column(
                "predicted lDDT, mean over the changed residues; a cosine",
                span="-1 to 1, 1 = unmoved",
                title="lDDT at the site (predicted)",
                shown=True,
            ),
            "predicted_lddt_min": Column(
                "lowest predicted lDDT of any residue",
                span="-1 to 1",
                title="lowest lDDT (predicted)",
            ),
        },
    ),
    HeadKind("fold", "fold.safetensors", {"predicted_tm": _PREDICTED_TM}),
    HeadKind("alignment", "alignment.safetensors"),
    HeadKind("tmvec", "tmvec.safetensors", {"predicted_tm": _PREDICTED_TM}),
    HeadKind(
        "estimate",
        "estimate.safetensors",
        {
            "estimated_tm": Column(
                "quick estimate of predicted_tm, from the wild type alone. Several substitutions: "
                "their deficits summed",
                span="-1 to 1, 1 = same fold",
                title="TM-score (estimated)",
            ),
            "estimated_lddt_site": Column(
                "quick estimate of predicted_lddt_site, from the wild type alone",
                span="-1 to 1, 1 = unmoved",
                title="lDDT at the site (estimated)",
            ),
            "estimated_tm_percentile": Column(
                "percent of all single substitutions of the protein with a higher estimated_tm",
                "%",
                "0 to 100",
                title="percentile of TM-score (estimated)",
                digits=0,
            ),
            "estimated_tm_site_rank": Column(
                "rank among the 19 substitutions of the site by estimated_tm, 1 = lowest",
                span="1 to 19",
                kind="whole",
                title="rank at the site by TM-score (estimated)",
            ),
        },
    ),
    HeadKind(
        "local_change",
        "local_change.safetensors",
        {
            "local_change_site": Column(
                "predicted mean |d - d'| over neighbours within 15 Å of the changed residues, "
                "between two experimental structures. Mostly how loose the site is, and little "
                "of what is put there",
                "Å",
                "0 and above",
                title="change at the site (predicted)",
                digits=2,
            )
        },
        takes="structure",
    ),
    HeadKind("enzyme", "enzyme.safetensors", takes="either"),
    HeadKind("ontology", "ontology.safetensors"),
    HeadKind("thermostability", "thermostability.safetensors"),
    HeadKind("ranking", "ranking.safetensors", takes="structure"),
    HeadKind("binding", "binding.safetensors", takes="structure"),
)
"""Every kind of head, in the order in which tables show what they tell."""


def head_kind(name: str) -> HeadKind:
    """The kind called `name`.

    Raises
    ------
    ModelError
        This version of GLASS knows no such head.
    """
    for kind in HEADS:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in HEADS)
    raise ModelError(f"head '{name}': is not known to this version of GLASS; known are {known}.")


def told_columns() -> dict[str, Column]:
    """All columns that heads tell, each once."""
    return {name: column for kind in HEADS for name, column in kind.tells.items()}
