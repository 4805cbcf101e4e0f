"""What one page passes to another, either way: a wild type and words about its variants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from glass_core.impact.record import Impact
from glass_core.inputs.proteins import Alignment
from glass_core.inputs.upload import Upload
from glass_core.protein.annotation import Annotation
from glass_core.protein.numbering import Numbering, NumberingKind
from glass_core.protein.protein import Protein

Page = Literal["impact", "screen", "search", "map"]


@dataclass(frozen=True)
class HandOver:
    """What fills the form of the other page, which then starts at once.

    Impact waits for a variant where there is none.
    """

    wild: str
    variants: str
    structure: Upload | None = None
    chain: str | None = None
    annotation: Annotation | None = None
    numbering: NumberingKind | Numbering = "sequence"
    alignment: Alignment | None = None

    @staticmethod
    def of_protein(protein: Protein, variants: str) -> HandOver:
        """A wild type as it was read, with variants in the numbers its user counts by."""
        given = HandOver(
            protein.sequence,
            variants,
            annotation=protein.annotation,
            numbering=counting_of(protein),
            alignment=protein.profile,
        )
        if protein.structure is None:
            return given
        upload = Upload.of_structure(protein.structure)
        return replace(given, structure=upload, chain=protein.structure.chain)


def counting_of(protein: Protein) -> NumberingKind | Numbering:
    """How a protein is counted, as the fields for it have it."""
    own = protein.own_counting
    if own is None:
        return "sequence"
    return own if own.kind == "own" else own.kind


def hand_over(page: Page, given: HandOver) -> None:
    """Leave `given` for `page`, which takes it when it runs next."""
    st.session_state[_key(page)] = given


def map_button(impact: Impact, beside: str) -> None:
    """Leads to the map with wild type and mutant; `beside` tells one button from another."""
    if st.button("Show on the map", key=f"show_on_the_map_{beside}"):
        hand_over("map", HandOver.of_protein(impact.protein, impact.variant.text))
        st.switch_page("pages/map.py")


def taken_over(page: Page) -> HandOver | None:
    """What was left for `page`, once."""
    given: HandOver | None = st.session_state.pop(_key(page), None)
    return given


def handed_over(page: Page) -> bool:
    """Whether something was left for `page`."""
    return _key(page) in st.session_state


def _key(page: Page) -> str:
    return f"hand_over_{page}"
