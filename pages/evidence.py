"""The Evidence page: how good each model is, from its evaluation records."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from glass_core.errors import GlassError
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.models.prediction import ModelInfo
from glass_core.models.registry import list_models
from glass_core.report.evidence import (
    figures,
    names,
    pairs,
    properties,
    relatives,
    space,
    tables,
    words,
)
from glass_core.report.models import own_words
from glass_core.settings import Settings
from pages.parts.common import through_the_front_door

Records = dict[str, Evaluation]
PREDICTOR = {"predictor": st.column_config.TextColumn(pinned=True)}


def show(table: pd.DataFrame, key: str) -> None:
    """A table at its full height; nothing where it is empty."""
    if not table.empty:
        st.dataframe(
            table,
            hide_index=True,
            key=key,
            height="content",
            placeholder="",
            column_config=PREDICTOR,
        )


def bullets(sentences: tuple[str, ...]) -> None:
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))


def chosen(records: list[Evaluation], key: str) -> Evaluation:
    """The set that the figures beneath are of."""
    by_set = {record.set: record for record in records}
    return by_set[st.selectbox("Figures of", list(by_set), format_func=names.set_name, key=key)]


def effects_section(records: Records, question: str) -> None:
    """The sets of variant effects that answer a question: how well they are ranked, and sized."""
    asked = names.of_question(records, question)
    if not asked:
        return
    show(tables.ranking_table(asked), f"ranking {question}")
    st.caption(
        "95% bootstrap intervals over groups of alike proteins; a Spearman is the mean over "
        "groups, each counting once. "
        + " ".join(f"**{names.set_name(r.set)}**: {names.counts(r)}." for r in asked)
    )
    structures = tables.structure_table(asked)
    if not structures.empty:
        st.markdown("Mean Spearman by how the structure was made")
        show(structures, f"structures {question}")
        st.caption("Every row holds other proteins, so rows differ by more than their structures.")
    sizes = tables.size_table(asked)
    if not sizes.empty:
        st.markdown("ΔΔG in kcal/mol")
        show(sizes, f"sizes {question}")
        st.caption(
            "Error: mean absolute error, with its interval where every group counts once; "
            "Pearson and Spearman pool all variants."
        )


def clinical_figures(records: Records) -> None:
    asked = [r for r in names.of_question(records, names.DAMAGING) if r.kind == "clinical"]
    if asked:
        record = chosen(asked, "clinical_set")
        left, right = st.columns(2)
        left.plotly_chart(figures.roc_curves(record), key="roc")
        right.plotly_chart(figures.calibration_curve(record), key="calibration")


def fold_figures(records: Records) -> None:
    asked = names.of_question(records, names.FOLDS)
    reverse = records.get("ssym")
    if reverse is not None:
        st.markdown("A change and its reverse (Ssym), on the wild type's backbone")
        show(tables.reverse_table(reverse), "reverse")
        st.caption(
            "Ideally direct and reverse correlate with -1 and have no bias, which is half the mean "
            "of their sum; positive ΔΔG = destabilising. Correlations are Pearson's. All: proteins "
            "trained on among them."
        )
    left, right = st.columns(2)
    if asked:
        with left:
            st.plotly_chart(figures.assay_dots(chosen(asked, "fold_set")), key="assays fold")
    if reverse is not None:
        right.plotly_chart(figures.reverse_scatter(reverse), key="reverse_scatter")


def works_figures(records: Records, question: str) -> None:
    asked = [r for r in names.of_question(records, question) if r.kind == "effects"]
    if asked:
        record = chosen(asked, f"set {question}")
        left, right = st.columns(2)
        left.plotly_chart(figures.intervals(record), key=f"intervals {question}")
        right.plotly_chart(figures.assay_dots(record), key=f"assays {question}")


def change_section(records: Records) -> None:
    record = records.get(names.LOCAL_CHANGE)
    if record is None:
        return
    show(tables.change_table(record), "changes")
    st.caption(words.change_counts(record))
    st.plotly_chart(figures.change_intervals(record), key="change_intervals")


def relatives_section(records: Records) -> None:
    record, column = records.get(names.SEARCH), records.get(names.RELATIVES)
    if record is not None:
        show(relatives.retrieval_table(record), "retrieval")
        st.caption(
            "Held-out chains against all others, homologues among them; the same fold: TM-score "
            "of at least 0.5 by TM-align, by the query's length. MMseqs2 at sensitivity 7.5."
        )
        st.markdown("Share of TM-align's pairs of residues that an alignment has")
        show(relatives.alignment_table(record), "alignments")
        show(relatives.confidence_table(record), "confidence")
    if column is not None:
        st.markdown("What stands at a site in the relatives, with measured effects")
        show(relatives.column_table(column), "column")


def pairs_section(records: Records) -> None:
    asked = names.in_order(records, "pairs")
    if asked:
        show(pairs.tm_table(records), "pairs")
        show(pairs.lddt_table(records), "lddt")
        st.caption(
            "Mean absolute errors with 95% bootstrap intervals over split groups; every group "
            "counts once. Welch p: against the best baseline."
        )
    if "estimate" in records:
        st.markdown("TM-score and lDDT estimated without predicting, against predicted ones")
        show(tables.estimate_table(records["estimate"]), "estimate")
        st.caption(words.estimate_counts(records["estimate"]))
    sampled = tables.sampled_table(records)
    if not sampled.empty:
        st.markdown("Predicted TM-score and lDDT as rankings of variants, on samples")
        show(sampled, "sampled")
    if asked:
        record = chosen(asked, "set")
        left, right = st.columns(2)
        left.plotly_chart(pairs.boxes_by_tm(record), key="boxes")
        right.plotly_chart(pairs.error_histograms(record), key="histogram")
        with st.expander("What the errors go with"):
            left, right = st.columns(2, vertical_alignment="bottom")
            left.plotly_chart(pairs.errors_by_tm(record), key="errors")
            against = right.selectbox(
                "Error against", ["length", "identity", "coverage"], key="against"
            )
            right.plotly_chart(pairs.error_against(record, against), key="scatter")


def encoder_section(records: Records) -> None:
    if "secondary structure" in records:
        content = records["secondary structure"].content
        st.markdown("#### Encoder")
        st.markdown(
            f"3-state secondary structure of {content['proteins']} proteins unlike any trained "
            f"on: accuracy {content['accuracy']:.3f} (always the commonest state: "
            f"{content['commonest_state']:.3f})."
        )


def space_section(model: str) -> None:
    """The spaces of sequences and structures over a model."""
    try:
        found = space.space_records(Settings.from_environment(), model)
    except GlassError as error:
        st.error(str(error))
        return
    for name, record in found.items():
        st.markdown(f"#### {names.SPACE}")
        bullets(tuple(space.space_words(record)))
        show(space.retrieval_table(record), f"space {name}")
        show(space.neighbours_table(record), f"space neighbours {name}")
        distances = space.distance_figure(record)
        if distances is not None:
            st.plotly_chart(distances, key=f"space distances {name}")
        st.caption(
            f"Space {name} {record.model['version']}. 95% bootstrap intervals over split groups, "
            "each counting once; 'first' and 'mean reciprocal rank' in the first table count every "
            "chain once, ties half. Second table: how often the nearest of all other chains with "
            "one class has the same. Figure: how near random pairs lie, the middle half in the "
            "box, 90 of 100 within the whiskers."
        )


def property_section() -> None:
    """The heads that tell properties of whole proteins."""
    try:
        found = properties.property_records(Settings.from_environment())
    except GlassError as error:
        st.error(str(error))
        return
    if not found:
        return
    st.markdown(f"#### {names.PROPERTIES}")
    for head, record in found.items():
        bullets((properties.property_words(record),))
        show(properties.figures_table(record), f"property {head}")
        kinds = properties.kinds_table(record)
        if not kinds.empty:
            show(kinds, f"kinds of {head}")
        ablations = properties.ablation_table(record)
        if not ablations.empty:
            with st.expander("The same head over other encoders"):
                show(ablations, f"ablations {head}")
                st.caption(record.content.get("ablations_note", ""))
        st.caption(properties.counts(record))


def main() -> None:
    st.title("Evidence", anchor=False)
    entries = [e for e in list_models(Settings.from_environment()) if e.card is not None]
    if not entries:
        st.info("No model with a card is installed.")
        return
    name = st.selectbox("Model", [e.name for e in entries], key="evidence_model")
    entry = next(e for e in entries if e.name == name)
    try:
        records = read_evaluations(entry.source)
    except GlassError as error:
        st.error(str(error))
        return
    if not records:
        st.info(
            "This model has no evaluation records. Write them with: python -m glass_core "
            f"evaluate {name} --pairs PAIRS --effects EFFECTS --out "
            f"{entry.source.name}/evaluation"
        )
        return
    first = next(iter(records.values()))
    st.caption(f"{ModelInfo(**first.model).stamp}, {first.side} side of the split")
    st.markdown(
        "What this model can and cannot tell you, question by question. Better or worse is said "
        "only where the 95% interval of the difference excludes 0, or the two do not overlap."
    )
    bullets(own_words(entry.card))
    said = words.answers(records)
    sections = {
        names.DAMAGING: lambda: clinical_figures(records),
        names.FOLDS: lambda: fold_figures(records),
        names.WORKS: lambda: works_figures(records, names.WORKS),
        names.OTHERS: lambda: works_figures(records, names.OTHERS),
        names.CHANGES: lambda: change_section(records),
        names.KIN: lambda: relatives_section(records),
        names.PAIRS: lambda: pairs_section(records),
    }
    for question, more in sections.items():
        if question not in said and not names.of_question(records, question):
            continue
        st.markdown(f"#### {question}")
        bullets(said.get(question, ()))
        effects_section(records, question)
        more()
    encoder_section(records)
    space_section(name)
    property_section()
    st.markdown("#### The published model, for orientation")
    show(pairs.published_table(), "published")
    st.caption(
        "ProtT5-XL with the authors' head, on their own sets, as the paper reports "
        "(bioRxiv 2025.10.27.684815). Other sets: not comparable with the rows above."
    )


through_the_front_door("pages/evidence.py")
main()
