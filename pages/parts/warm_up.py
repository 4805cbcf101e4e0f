"""What the first prediction of a server needs, fetched while its first visitor reads."""

from __future__ import annotations

from contextlib import suppress
from threading import Timer

import streamlit as st

from glass_core.errors import GlassError
from pages.parts.common import predictor, turn, usable_models
from pages.parts.sample import sample

AFTER_S = 1.0
"""Seconds, by which the first page is out: the libraries' loading holds up everything else."""


@st.cache_resource(show_spinner=False)
def warm_up() -> Timer:
    """Load the model, and predict the sample with it, once in a server's life."""
    timer = Timer(AFTER_S, _load)
    timer.daemon = True
    timer.start()
    return timer


def _load() -> None:
    """What goes wrong here, the visitor who asks for a prediction is told."""
    with suppress(GlassError), turn():
        shown = sample()
        model = predictor(usable_models()[0])
        if shown is not None:
            from glass_core.impact.analyse import analyse

            analyse(shown.protein, shown.variant, predictor=model)
