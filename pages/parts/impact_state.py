"""What the Impact page remembers between its runs beside its fields."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass
class ImpactState:
    """One visitor's; fields of the form have keys of their own.

    Attributes
    ----------
    start : bool
        The form is to be analysed in this run.
    problem : tuple of str or None
        The field the last check found fault with, and what it said.
    several : bool
        The variant names several, which a screen takes.
    reading : str
        How the variant of the last analysis was read.
    notice : str
        To be shown once, above the result.
    next_wild, next_accession : str or None
        What the field is to hold in the next run; a field that is drawn cannot be set.
    """

    start: bool = False
    problem: tuple[str, str] | None = None
    several: bool = False
    reading: str = ""
    notice: str = ""
    next_wild: str | None = None
    next_accession: str | None = None


def impact_state() -> ImpactState:
    state: ImpactState = st.session_state.setdefault("impact_state", ImpactState())
    return state
