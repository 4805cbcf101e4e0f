"""What the columns and labels of an uploaded table mean: always shown, and changed here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from glass_core.errors import InputError
from glass_core.inputs.columns import Columns, guess_columns
from glass_core.inputs.labels import LabelWord, label_words
from glass_core.inputs.reading import Count
from glass_core.inputs.table import as_table
from glass_core.inputs.upload import Upload
from glass_core.protein.protein import Protein

MOST_WORDS = 12
"""Words of labels that can be assigned, the commonest."""
MEANINGS: dict[str, bool | None] = {"damaging": True, "tolerated": False, "leave out": None}
SHOWN_ROWS = 5


def chosen_columns(upload: Upload, proteins: Sequence[Protein], numbering: Count) -> Columns | None:
    """The table's columns as guessed, confirmed or changed; None of a file that is no table.

    Raises
    ------
    InputError
        No column was chosen for the variants, and none could be guessed.
    """
    table = as_table(upload.content, upload.name)
    if table is None:
        return None
    problem = ""
    try:
        guessed = guess_columns(table, proteins, numbering)
    except InputError as error:
        problem, guessed = str(error), guess_columns(table, proteins, numbering, "")
    key = hashlib.sha256(upload.content).hexdigest()[:12]
    st.markdown("**What the columns mean**")
    chosen = _choosers(table, guessed, key)
    with st.expander(f"The first rows of {upload.name}"):
        st.dataframe(table.head(SHOWN_ROWS), hide_index=True)
    if not chosen.variant:
        raise InputError(f"{problem} Or choose the column of variants here.")
    return chosen if chosen.label is None else _labelled(table, chosen, guessed.one_is_fit, key)


def _choosers(table: pd.DataFrame, guessed: Columns, key: str) -> Columns:
    names = [str(column) for column in table.columns]
    nothing = [None, *names]
    fields = st.columns(4)
    variant = fields[0].selectbox(
        "Variants",
        names,
        names.index(guessed.variant) if guessed.variant in names else None,
        key=f"c_variant {key}",
        placeholder="Choose a column",
    )

    def other(place: int, title: str, name: str, guess: str | None) -> str | None:
        chosen: str | None = fields[place].selectbox(
            title,
            nothing,
            nothing.index(guess),
            key=f"{name} {key}",
            format_func=lambda column: "none" if column is None else column,
        )
        return chosen

    return Columns(
        variant or "",
        measured_value=other(1, "Measured value", "c_score", guessed.measured_value),
        label=other(2, "Label (damaging or not)", "c_label", guessed.label),
        protein=other(3, "Protein", "c_protein", guessed.protein),
    )


def _labelled(table: pd.DataFrame, chosen: Columns, one_is_fit: bool, key: str) -> Columns:
    """With what each word of the column of labels means."""
    fit = st.toggle(
        "In the label column 1 means tolerated",
        one_is_fit,
        key=f"c_fit {key}",
        help="As in ProteinGym's DMS_score_bin, where 1 is fit.",
    )
    words = label_words(table[chosen.label], fit)
    unknown = [word for word in words if word.damaging is None]
    known = [word for word in words if word.damaging is not None]
    warning = st.container()
    meant: list[tuple[str, bool | None]] = []
    with st.expander(f"What the labels mean ({len(words):,})", expanded=bool(unknown)):
        shown = [*unknown, *known][:MOST_WORDS]
        fields = st.columns(4)
        for place, word in enumerate(shown):
            now = next(name for name, means in MEANINGS.items() if means is word.damaging)
            means = MEANINGS[
                fields[place % 4].selectbox(
                    f"{word.word} ({word.rows:,})",
                    list(MEANINGS),
                    list(MEANINGS).index(now),
                    key=f"c_word {word.word} {fit} {key} {chosen.label}",
                )
            ]
            if means is not word.damaging:
                meant.append((word.word, means))
        if len(words) > len(shown):
            st.caption(
                f"And {len(words) - len(shown):,} rarer ones; is '{chosen.label}' the column of "
                "labels?"
            )
    left_out = [word for word in unknown if word.word not in dict(meant)]
    if left_out:
        rows = sum(word.rows for word in left_out)
        warning.warning(
            f"{rows:,} rows have labels that are not known: {_said(left_out)}. They are left out "
            "unless you say what they mean.",
            icon=":material/label:",
        )
    return replace(chosen, one_is_fit=fit, label_words=tuple(meant))


def _said(words: Iterable[LabelWord]) -> str:
    named = [f"'{word.word}' ({word.rows:,})" for word in words]
    more = f" and {len(named) - MOST_WORDS:,} more" if len(named) > MOST_WORDS else ""
    return ", ".join(named[:MOST_WORDS]) + more
