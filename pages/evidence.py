"""The Evidence page: how good each model is, from its evaluation records."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.models.prediction import ModelInfo
from glass_core.models.registry import list_models
from glass_core.report.evidence import figures, tables, words
from glass_core.settings import Settings
from pages.parts.common import through_the_front_door


def pairs_section(records: dict[str, Evaluation]) -> None:
    st.markdown("#### Structure: pairs of structures of held-out groups")
    st.dataframe(tables.pair_table(records), hide_index=True, key="pairs")
    st.caption(
        "Mean absolute errors with 95% bootstrap intervals over split groups; every group "
        "counts once. Welch p: against the best baseline."
    )
    names = [r.set for r in records.values() if r.kind == "pairs"]
    names.sort(key=lambda name: name != "fold")
    chosen = st.selectbox(
        "Set", names, key="set", format_func=lambda name: tables.SET_NAMES.get(name, name)
    )
    record = records[chosen]
    left, right = st.columns(2)
    left.plotly_chart(figures.error_histograms(record), key="histogram")
    right.plotly_chart(figures.boxes_by_tm(record), key="boxes")
    left.plotly_chart(figures.errors_by_tm(record), key="errors")
    against = right.selectbox("Error against", ["length", "identity", "coverage"], key="against")
    right.plotly_chart(figures.error_against(record, against), key="scatter")


def effects_section(records: dict[str, Evaluation]) -> None:
    st.markdown("#### Variant effects: proteins not seen in training")
    st.dataframe(tables.effect_table(records), hide_index=True, key="effects")
    measured = [r for r in records.values() if r.kind == "effects"]
    if measured:
        for column, record in zip(st.columns(len(measured)), measured, strict=True):
            column.markdown(tables.SET_NAMES.get(record.set, record.set))
            column.plotly_chart(figures.assay_bars(record), key=f"assays {record.set}")
    if "clinical" in records:
        left, right = st.columns(2)
        left.plotly_chart(figures.roc_curve(records["clinical"]), key="roc")
        right.plotly_chart(figures.calibration_curve(records["clinical"]), key="calibration")


def main() -> None:
    st.title("Evidence", anchor=False)
    entries = [e for e in list_models(Settings.from_environment()) if e.card is not None]
    if not entries:
        st.info("No model with a card is installed.")
        return
    name = st.selectbox("Model", [e.name for e in entries], key="evidence_model")
    folder = next(e.source for e in entries if e.name == name)
    try:
        records = read_evaluations(folder)
    except GlassError as error:
        st.error(str(error))
        return
    if not records:
        st.info(
            "This model has no evaluation records. Write them with: python -m glass_core "
            f"evaluate {name} --pairs PAIRS --effects EFFECTS --out "
            f"{folder.name}/evaluation"
        )
        return
    first = next(iter(records.values()))
    st.caption(f"{ModelInfo(**first.model).stamp}, {first.side} side of the split")
    st.markdown("#### What this model can and cannot tell you")
    for sentence in words.can_and_cannot(records):
        st.markdown(f"- {sentence}")
    if any(r.kind == "pairs" for r in records.values()):
        pairs_section(records)
    if any(r.kind in ("effects", "clinical") for r in records.values()):
        effects_section(records)
    if "secondary structure" in records:
        content = records["secondary structure"].content
        st.markdown("#### Encoder")
        st.markdown(
            f"3-state secondary structure of {content['proteins']} proteins unlike any trained "
            f"on: accuracy {content['accuracy']:.3f} (always the commonest state: "
            f"{content['commonest_state']:.3f})."
        )
    st.markdown("#### The published model, for orientation")
    st.dataframe(tables.published_table(), hide_index=True, key="published")
    st.caption(
        "ProtT5-XL with the authors' head, on their own sets, as the paper reports "
        "(bioRxiv 2025.10.27.684815). Other sets: not comparable with the rows above."
    )


through_the_front_door("pages/evidence.py")
main()
