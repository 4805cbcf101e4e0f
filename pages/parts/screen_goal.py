"""Which ranking leads for what a screen is after."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from glass_core.models.registry import ModelEntry, list_models
from glass_core.protein.protein import Protein
from glass_core.report.evidence.defaults import BestRanking, basis_of, best_ranking
from glass_core.screen.columns import RANKINGS, rankings_of
from glass_core.screen.goal import Goal
from pages.parts.common import esm2_asked, records_of, settings

BY_GOAL = ""
"""Of the field for the ranking: the one that is best for the goal."""


def ranking_title(ranking: str) -> str:
    return RANKINGS[ranking].title if ranking else "the best for what you are after"


def model_entry(model: str) -> ModelEntry | None:
    return next((entry for entry in list_models(settings()) if entry.name == model), None)


def rankings_offered(model: str) -> list[str]:
    """Those of a model, and those by external scores that are at hand."""
    entry = model_entry(model)
    heads = ("siamese",) if entry is None else entry.heads
    known = st.session_state.get("screen_annotation")
    external = {scores.kind for scores in known.external} if known is not None else set[str]()
    if esm2_asked("screen_esm2"):
        external.add("esm2")
    return [n for n in rankings_of(heads) if not RANKINGS[n].external or n in external]


def best_for(
    goal: Goal,
    model: str,
    proteins: Sequence[Protein],
    offered: Sequence[str],
    reads_structures: bool = True,
) -> BestRanking:
    """By the model's records; see `best_ranking`."""
    return best_ranking(records_of(model), goal, basis_of(proteins, reads_structures), offered)
