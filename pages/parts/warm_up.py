"""What the first prediction of a server needs, fetched while its first visitor reads."""

from __future__ import annotations

from contextlib import suppress
from threading import Timer

import streamlit as st

from glass_core.errors import GlassError
from glass_core.impact.analyse import analyse
from glass_core.progress import Watch
from pages.parts.common import predictor, usable_models
from pages.parts.sample import sample
from pages.parts.turn import turns

AFTER_S = 1.0
"""Seconds, by which the first page is out: the libraries' loading holds up everything else."""


@st.cache_resource(show_spinner=False)
def warm_up() -> Timer:
    """Load the model, and predict the sample with it, once in a server's life."""
    timer = Timer(AFTER_S, _load)
    timer.daemon = False  # torch aborts a process that ends while it computes
    timer.start()
    return timer


def _load() -> None:
    """What goes wrong here, the visitor who asks for a prediction is told."""
    with suppress(GlassError):
        turns().take(_predict_sample)


def _predict_sample(watch: Watch) -> None:
    shown = sample()
    model = predictor(usable_models()[0])
    if shown is not None:
        analyse(shown.protein, shown.variant, predictor=model)
