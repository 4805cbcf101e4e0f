"""A screen's ranking against the labels and values that came with its input."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from glass_core.report.screen.agreement import (
    CHANCES,
    LabelAgreement,
    agreement_frame,
    label_agreement,
    label_table,
    value_agreement,
)
from glass_core.report.screen.agreement_figures import (
    precision_recall_curve,
    reliability_diagram,
    reliability_table,
    roc_curve,
)
from glass_core.report.screen.figures import against_values
from glass_core.report.screen.tables import rankings_told
from glass_core.screen.columns import RANKINGS

RULES: dict[str, float | None] = {
    "Youden's index": None,
    "precision of 80%": 0.8,
    "precision of 90%": 0.9,
    "precision of 95%": 0.95,
}


@st.cache_data(show_spinner="Drawing again for intervals ...", max_entries=32)
def _labels(
    run: str, protein: str, known: int, ranking: str, precision: float | None, _frame: pd.DataFrame
) -> LabelAgreement | None:
    return label_agreement(_frame, ranking, precision)


def own_values(run: str, protein: str, frame: pd.DataFrame, ranking: str) -> None:
    """What came with the upload, against every ranking and in full against the chosen one."""
    table = agreement_frame(frame)
    if table.empty:
        return
    st.markdown("#### Against your own values")
    digits = ("AUROC", "average precision", "Spearman")
    st.dataframe(
        table,
        hide_index=True,
        key="agreement",
        column_config={c: st.column_config.NumberColumn(format="%.3f") for c in digits},
    )
    st.caption(
        "All rankings rise with damage. Where your values rise with fitness a good ranking has "
        "a negative Spearman."
    )
    known = int(frame[RANKINGS[ranking].column].notna().sum())
    _against_labels(run, protein, known, frame, ranking)
    if frame["measured_value"].notna().any():
        found = value_agreement(frame, ranking)
        st.markdown(f"{RANKINGS[ranking].title}: Spearman {found} with your measured values.")
        st.plotly_chart(against_values(frame, ranking), key="against")


def _against_labels(run: str, protein: str, known: int, frame: pd.DataFrame, ranking: str) -> None:
    if not frame["label"].notna().any():
        return
    rule = st.selectbox("Suggest a cut-off by", list(RULES), key="cut_off_rule")
    found = _labels(run, protein, known, ranking, RULES[rule], frame)
    if found is None:
        st.info(
            "The labels are of one kind only, so that nothing can be told apart by them.",
            icon=":material/info:",
        )
        return
    st.markdown(_cut_words(found))
    left, right = st.columns(2, gap="large")
    left.plotly_chart(roc_curve(frame, found), key="roc")
    right.plotly_chart(precision_recall_curve(frame, found), key="precision_recall")
    chance = ranking if ranking in CHANCES else _chance(frame)
    with left:
        st.dataframe(_with_words(label_table(found)), hide_index=True, key="label_table")
        st.caption(
            f"{found.labels:,} labelled variants, {found.damaging:,} of them damaging. Intervals "
            "of 95%: the variants drawn again, always the same way."
        )
    if chance is not None:
        with right:
            st.plotly_chart(reliability_diagram(frame, chance), key="reliability")
            with st.expander("Calibration as a table"):
                st.dataframe(reliability_table(frame, chance), hide_index=True, key="calibration")


def _with_words(table: pd.DataFrame) -> pd.DataFrame:
    """With three digits, and an interval in one cell; empty where there is none."""
    return pd.DataFrame(
        {
            "figure": table["figure"],
            "value": ["none" if pd.isna(v) else f"{v:.3f}" for v in table["value"]],
            "95% interval": [
                "" if pd.isna(low) or pd.isna(high) else f"{low:.3f} to {high:.3f}"
                for low, high in zip(table["from"], table["to"], strict=True)
            ],
        }
    )


def _chance(frame: pd.DataFrame) -> str | None:
    told = rankings_told(frame)
    return next((name for name in CHANCES if name in told), None)


def _cut_words(found: LabelAgreement) -> str:
    cut, title = found.cut_off, RANKINGS[found.ranking].title
    if cut.value.value is None:
        return f"No cut-off of {title} reaches {cut.rule} on your labels."
    between = ""
    if cut.value.low is not None and cut.value.high is not None:
        between = f" (95% interval {cut.value.low:.3g} to {cut.value.high:.3g})"
    return (
        f"Suggested cut-off, by {cut.rule}: **{title} of at least {cut.value.value:.3g}**"
        f"{between}. It calls {cut.called:,} of your {found.labels:,} labelled variants and finds "
        f"{cut.sensitivity:.0%} of the damaging ones; {cut.precision:.0%} of the called are "
        "damaging. Chosen on these labels, so that it will do a little worse on others."
    )
