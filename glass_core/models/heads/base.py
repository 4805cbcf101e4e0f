"""What a head is, and which there are.

A head maps embeddings to numbers that are told. It is one file of this folder, called as the
head is, with a `CONFIG` (a frozen record) and a `NETWORK` (a module made from it), and one
entry of `HEADS`; loading, saving, predicting and every table follow from these.

Importing this loads no torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from glass_core.errors import ModelError
from glass_core.records import Column

if TYPE_CHECKING:
    from torch import nn

    from glass_core.embedders.base import Embedding
    from glass_core.embedders.mpnn import StructureEmbedding
    from glass_core.models.prediction import Table
    from glass_core.protein.protein import Protein

Takes = Literal["sequence", "structure", "either", "tables"]
"""The embedded sequence of the wild type; its structure as well; that where there is one;
what other heads tell."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """What the embedders make of a wild type.

    Attributes
    ----------
    sequence : Embedding
    structure : StructureEmbedding or None
        None without a structure, or where no head or no weights are there to read it.
    """

    sequence: Embedding
    structure: StructureEmbedding | None = None


class HeadConfig(Protocol):
    """The shape of a head, as the card holds it."""

    @property
    def width(self) -> int | None:
        """Width of the embedding of the sequence that the head takes; None where it takes none."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        ...


@runtime_checkable
class TableHead(Protocol):
    """A head that says of every single substitution what it does, from the wild type alone."""

    def table(self, protein: Protein, embedded: Embedded) -> Table:
        """Everything it tells about `protein`."""
        ...


@runtime_checkable
class CombiningHead(Protocol):
    """A head that makes one table of what the others tell."""

    def combine(self, protein: Protein, tables: Sequence[Table]) -> Table | None:
        """Its table; None where one of those it needs is not there."""
        ...


@dataclass(frozen=True)
class HeadKind:
    """One kind of head.

    Attributes
    ----------
    name : str
        In cards; also the name of its module in this folder.
    file : str
        Its weights in a model's folder.
    tells : mapping
        Column of a screen's table -> what it means.
    takes : {"sequence", "structure", "either", "tables"}
        One that takes the structure is asked only where there is one, one that takes
        either always, and one that takes tables after all others.
    """

    name: str
    file: str
    tells: Mapping[str, Column] = field(default_factory=dict)
    takes: Takes = "sequence"

    @property
    def reads_structure(self) -> bool:
        """Whether it goes by the structure of the wild type, where there is one."""
        return self.takes in ("structure", "either")

    @property
    def config(self) -> type[Any]:
        """The record of its shape, a `HeadConfig`."""
        kind: type[Any] = self._module.CONFIG
        return kind

    @property
    def network(self) -> type[nn.Module]:
        """The module that is made from it."""
        kind: type[nn.Module] = self._module.NETWORK
        return kind

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"{__package__}.{self.name}")


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
        ranking="likeness to clinical variants",
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
        title="rank at the site",
    ),
    "percentile_site": Column(
        "percent of the 19 substitutions of the site with a lower effect",
        "%",
        "0 to 100",
        title="percentile at the site",
        shown=True,
        digits=0,
    ),
    "percentile_protein": Column(
        "percent of all single substitutions of the protein with a lower effect",
        "%",
        "0 to 100",
        title="percentile in the protein",
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
                title="P(damaging)",
                shown=True,
                ranking="chance of being damaging",
            ),
            "combined_percentile": Column(
                "percent of all single substitutions of the protein with a lower p_combined",
                "%",
                "0 to 100",
                title="percentile of P(damaging)",
                shown=True,
                digits=0,
            ),
            "combined_structure": Column(
                "whether p_combined rests on the structure (1) or not (0)",
                span="0 or 1",
                kind="whole",
                title="P(damaging) from structure",
            ),
            "combined_alignment": Column(
                "whether p_combined rests on an alignment (1) or not (0)",
                span="0 or 1",
                kind="whole",
                title="P(damaging) from alignment",
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
