"""Which properties there are, in the order in which they are told.

Importing this loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PropertyKind:
    """One property.

    Attributes
    ----------
    head : str
        Name of the head that tells it.
    title : str
        What is told, in words.
    unit : str
        '' for chances and shares.
    meaning : str
        A sentence for readers.
    prefix : str
        Before the names of classes.
    digits : int
        After the point, when it is shown.
    needs_structure : bool
        Whether nothing is told without one.
    """

    head: str
    title: str
    unit: str
    meaning: str
    prefix: str = ""
    digits: int = 2
    needs_structure: bool = False


PROPERTIES = (
    PropertyKind(
        "enzyme",
        "enzyme class, if an enzyme",
        "",
        "predicted chance of this number of the Enzyme Commission, if the protein is an enzyme at "
        "all: others were not learnt from",
        prefix="EC ",
    ),
    PropertyKind(
        "ontology",
        "function",
        "",
        "predicted chance that the protein has this term of a slim Gene Ontology; learnt from "
        "yeast alone",
        prefix="",
    ),
    PropertyKind(
        "thermostability",
        "melting temperature",
        "°C",
        "predicted temperature at which half of the protein is unfolded in a cell",
        digits=1,
    ),
    PropertyKind(
        "ranking",
        "quality of the structure",
        "",
        "predicted GDT_TS of the structure to the right one, 0 to 1; learnt from structures "
        "that were spoilt on purpose",
        needs_structure=True,
    ),
    PropertyKind(
        "binding",
        "change of binding, positive = weaker",
        "kcal/mol",
        "predicted change of the free energy of binding to the chains beside it, positive = "
        "weaker; of binding, not of folding",
        needs_structure=True,
    ),
)


def property_kind(head: str) -> PropertyKind:
    """The property that a head tells."""
    return next(kind for kind in PROPERTIES if kind.head == head)
