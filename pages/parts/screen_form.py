"""The Screen page's form: wild types, lists of variants, live validation, start."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from glass_core.embedders.esm2_scores import with_esm2
from glass_core.errors import GlassError
from glass_core.inputs.choice import ChoiceKind, VariantChoice
from glass_core.inputs.columns import Columns, guess_columns
from glass_core.inputs.lists import VariantRequest, counts
from glass_core.inputs.proteins import Alignment, read_proteins
from glass_core.inputs.table import as_table
from glass_core.inputs.upload import EXAMPLE_CHAIN, Upload, example_upload
from glass_core.models.registry import DEFAULT_MODEL, ModelEntry, list_models
from glass_core.progress import Rate, Watch, duration
from glass_core.protein.annotation import Annotation
from glass_core.protein.numbering import NumberingKind
from glass_core.protein.profile import AlignmentProfile
from glass_core.protein.protein import Protein
from glass_core.remodel import unavailable_remodellers
from glass_core.runs.screening import advance, begin, estimate
from glass_core.screen.columns import RANKINGS, rankings_of
from glass_core.screen.request import ScreenRequest
from glass_core.sources.lookup import Found
from pages.parts.alignment import alignment_field, alignment_given, take_alignment
from pages.parts.common import (
    esm2_asked,
    esm2_option,
    numbering_input,
    predictor,
    runs,
    screen_jobs,
    settings,
    structure_input,
    turn,
)
from pages.parts.hand_over import HandOver
from pages.parts.lookup import accession_input, fasta_of, only_chain
from pages.parts.state import lookup_state, screen_state

ROLE = "screen_"
EVERYTHING, ALANINE, LIST, KNOWN = "All", "Alanine scan", "My list", "Known"
WORDLESS: dict[str, ChoiceKind] = {EVERYTHING: "all", ALANINE: "alanine", KNOWN: "known"}
"""Those that need no words of the user."""


def take_found(found: Found, variants: str) -> None:
    """Fill the form with what an accession led to; variants behind it make the list."""
    st.session_state.update(
        {
            "screen_wild": fasta_of(found),
            "screen_given": Upload.if_any(found.structure, found.structure_name),
            "screen_chain": only_chain(found),
            "screen_list": variants,
            "screen_which": LIST if variants else EVERYTHING,
            "screen_numbering": "sequence",
        }
    )


def take_over(given: HandOver) -> None:
    """Fill the form with what another page passes on, and start."""
    st.session_state.update(
        {
            "screen_wild": given.wild,
            "screen_given": given.structure,
            "screen_chain": given.chain,
            "screen_annotation": given.annotation,
            "screen_which": LIST,
            "screen_list": given.variants,
            "screen_numbering": given.numbering,
        }
    )
    take_alignment(ROLE, given.alignment)
    screen_state().start = True


def fill_example() -> None:
    st.session_state.update(
        {
            "screen_annotation": None,
            "screen_accession": "",
            "screen_wild": "",
            "screen_given": example_upload(),
            "screen_chain": EXAMPLE_CHAIN,
            "screen_which": EVERYTHING,
            "screen_range": "",
        }
    )
    lookup_state(ROLE).found()
    screen_state().start = True


def screen_form() -> None:
    st.subheader("Inputs", anchor=False)
    st.button(
        "Example: all substitutions of a globin",
        on_click=fill_example,
        width="stretch",
        key="screen_example",
    )
    accession_input(ROLE)
    st.text_area(
        "Wild-type sequence(s)",
        key="screen_wild",
        height=110,
        placeholder="Letters or FASTA, also several records; leave empty to use the "
        "structure's own.",
    )
    problem = structure_input(
        ROLE, "Wild-type structure (optional)", "For burial, the 3D view and remodelling."
    )
    st.session_state.setdefault("screen_which", EVERYTHING)
    known = st.session_state.get("screen_annotation")
    offered = [EVERYTHING, ALANINE, LIST]
    if known is not None and known.variants:
        offered.append(KNOWN)
    if st.session_state["screen_which"] not in offered:
        st.session_state["screen_which"] = EVERYTHING
    st.segmented_control("Variants", offered, key="screen_which")
    which = st.session_state["screen_which"] or EVERYTHING
    if which == LIST:
        st.text_area(
            "Variants",
            key="screen_list",
            height=90,
            label_visibility="collapsed",
            placeholder="R175H G245S, A1P:D2N is one of two changes. With several "
            "proteins begin each line with a name.",
        )
        st.file_uploader(
            "or a file",
            key="screen_table",
            help="CSV, TSV or Parquet with a column of variants (and, if you have "
            "them, a score, a label, a protein), one variant per line, or FASTA of "
            "mutant sequences.",
        )
        numbering_input(ROLE)
    elif which == KNOWN:
        st.caption(
            "The variants that UniProt and EBI Proteins list; what they call them "
            "clinically is the label."
        )
    else:
        st.text_input("Range", key="screen_range", placeholder="whole chain, or such as 10-60")
    if problem is not None:
        st.error(problem, icon=":material/error:")
    options()
    check_and_start(which)


def options() -> None:
    models = {e.name: e for e in list_models(settings())}
    names = [name for name, e in models.items() if e.unavailable_reason is None]
    st.selectbox("Model", names or [DEFAULT_MODEL], key="screen_model")
    alignment_field(ROLE)
    esm2_option("screen_esm2")
    with st.expander("Ranking and second stage"):
        offered = rankings_offered(models.get(st.session_state["screen_model"]))
        if st.session_state.get("screen_rank") not in offered:
            st.session_state["screen_rank"] = offered[0]
        st.selectbox("Rank by", offered, format_func=title_of, key="screen_rank")
        usable = [name for name, reason in unavailable_remodellers().items() if reason is None]
        st.selectbox("Remodel and measure the top", ["no", *usable], key="screen_remodel")
        st.number_input("How many", 1, 100, 5, key="screen_top")


def rankings_offered(entry: ModelEntry | None) -> list[str]:
    """Those of the chosen model, and those by external scores that are at hand."""
    heads = entry.card.heads if entry is not None and entry.card is not None else ["siamese"]
    known = st.session_state.get("screen_annotation")
    external = {scores.kind for scores in known.external} if known is not None else set[str]()
    if esm2_asked("screen_esm2"):
        external.add("esm2")
    ours = rankings_of(heads)
    return [name for name in ours if not RANKINGS[name].external or name in external]


def title_of(ranking: str) -> str:
    return RANKINGS[ranking].title


def check_and_start(which: str) -> None:
    """Live validation: what was understood, what was not, how long it will take."""
    state = st.session_state
    given: Upload | None = state.get("screen_given")
    if not (state["screen_wild"].strip() or given):
        st.button("Screen", type="primary", width="stretch", key="screen_go", disabled=True)
        st.caption("Give a wild type first.")
        return
    try:
        proteins = wild_types()
        choice = variant_choice(which, proteins)
        read = choice.read(proteins)
        asked = list(read.requests)
    except GlassError as error:
        st.error(str(error), icon=":material/error:")
        screen_state().start = False
        return
    made = counts(asked)
    st.markdown(f"**{made['accepted']:,} accepted**, {made['rejected']:,} rejected")
    for note in (*(note for protein in proteins for note in protein.notes), *read.notes):
        st.caption(note)
    bad = [a for a in asked if a.variant is None]
    if bad:
        with st.expander("Rejected, and why"):
            st.dataframe(
                pd.DataFrame(
                    [{"row": a.row, "variant": a.text, "reason": a.reason} for a in bad[:1000]]
                ),
                hide_index=True,
            )
    if not made["accepted"]:
        screen_state().start = False
        return
    try:
        lengths = tuple(len(p) for p in proteins)
        seconds = seconds_for(state["screen_model"], lengths, made["accepted"], asked)
        st.caption(f"Effect scores at once; TM-score and lDDT in about {duration(seconds)}.")
        clicked = st.button("Screen", type="primary", width="stretch", key="screen_go")
        if clicked or screen_state().start:
            screen_state().start = False
            start(proteins, asked, choice.words(proteins))
    except GlassError as error:
        st.error(str(error), icon=":material/error:")


@st.cache_data(show_spinner=False, max_entries=32)
def seconds_for(
    model: str, lengths: tuple[int, ...], number: int, _asked: list[VariantRequest]
) -> float:
    return estimate(predictor(model), _asked)


def wild_types() -> list[Protein]:
    """The proteins that the fields name."""
    state = st.session_state
    given: Upload | None = state.get("screen_given")
    annotation: Annotation | None = state.get("screen_annotation")
    chain = state.get("screen_chain") if given else None
    accession = annotation.accession if annotation else ""
    alignment = alignment_given(ROLE)
    return proteins_of(state["screen_wild"], given, chain, annotation, accession, alignment)


def variant_choice(which: str, proteins: list[Protein]) -> VariantChoice:
    """Which variants the fields name; of a table the columns are asked for."""
    state = st.session_state
    if which in WORDLESS:
        return VariantChoice(WORDLESS[which], span="" if which == KNOWN else state["screen_range"])
    numbering: NumberingKind = state["screen_numbering"]
    file = state.get("screen_table")
    if file is None:
        return VariantChoice("list", text=state["screen_list"], numbering=numbering)
    upload = Upload(file.getvalue(), file.name)
    columns = chosen_columns(upload, proteins, numbering)
    return VariantChoice("file", upload=upload, columns=columns, numbering=numbering)


@st.cache_resource(
    show_spinner=False, max_entries=8, hash_funcs={AlignmentProfile: lambda read: read.sha256}
)
def proteins_of(
    wild: str,
    given: Upload | None,
    chain: str | None,
    _annotation: Annotation | None,
    accession: str,
    alignment: Alignment | None,
) -> list[Protein]:
    """Kept for the next run; `accession` stands for the annotation in the key."""
    return read_proteins(wild, given, chain, _annotation, alignment)


def chosen_columns(
    upload: Upload, proteins: list[Protein], numbering: NumberingKind
) -> Columns | None:
    """The table's columns as guessed, to be confirmed or changed; None of another file."""
    table = as_table(upload.content, upload.name)
    if table is None:
        return None
    guessed = guess_columns(table, proteins, numbering)
    names = [str(c) for c in table.columns]
    nothing = [None, *names]
    left, right = st.columns(2)
    chosen = Columns(
        variant=left.selectbox("Variants", names, names.index(guessed.variant), key="c_variant"),
        measured_value=right.selectbox(
            "Measured score", nothing, nothing.index(guessed.measured_value), key="c_score"
        ),
        label=left.selectbox(
            "Label (damaging or not)", nothing, nothing.index(guessed.label), key="c_label"
        ),
        protein=right.selectbox(
            "Protein", nothing, nothing.index(guessed.protein), key="c_protein"
        ),
    )
    if chosen.label is not None:
        fit = st.toggle(
            "In the label column 1 means harmless",
            guessed.one_is_fit,
            key="c_fit",
            help="As in ProteinGym's DMS_score_bin, where 1 is fit.",
        )
        chosen = replace(chosen, one_is_fit=fit)
    return chosen


def start(proteins: list[Protein], asked: list[VariantRequest], source: str) -> None:
    """Make the run, so that the effect scores are there, and queue the rest."""
    state = st.session_state
    remodel = "" if state["screen_remodel"] == "no" else state["screen_remodel"]
    with st.spinner("Effect scores ..."), turn():
        if esm2_asked("screen_esm2"):
            known = {p: with_esm2(p, "wild-type", settings()) for p in proteins}
            proteins = list(known.values())
            asked = [replace(each, protein=known[each.protein]) for each in asked]
        request = ScreenRequest(
            tuple(proteins),
            source,
            state["screen_model"],
            state["screen_rank"],
            remodel,
            int(state["screen_top"]) if remodel else 0,
        )
        run = begin(runs(), request, asked, predictor=predictor(state["screen_model"]))
    queue(run, state["screen_model"])
    for key in ("chosen", "page"):
        state.pop(key, None)
    st.query_params["run"] = run
    st.rerun()


def queue(run: str, model: str) -> None:
    store, loaded, places = runs(), predictor(model), settings()

    def work(watch: Watch) -> None:
        def tell(now: Rate) -> None:
            watch.tell(str(now), now.fraction)

        advance(store, run, settings=places, predictor=loaded, tell=tell, cancelled=watch.cancelled)

    screen_jobs().submit(work, run)
