"""The open protein and the variants that gathered around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

import streamlit as st

from glass_core.errors import RunError
from glass_core.impact.record import Impact
from glass_core.inputs.analysis import AnalysisInputs
from glass_core.models.prediction import ModelInfo
from glass_core.protein.protein import Protein
from glass_core.runs.store import RunStore
from glass_core.runs.studies import Study, protein_digest
from glass_core.runs.view import Run
from pages.parts.common import impact_jobs, plain, runs, spare_runs, spare_stores
from pages.parts.fresh import start_anew
from pages.parts.state import impact_state

MOST_BESIDE = 5
BESIDE = "with"
"""In the address: what stands beside the run that is shown."""
T = TypeVar("T")


def keep(work: Callable[[RunStore], T]) -> T:
    """Do `work` on the store of runs; where that cannot be written, on one that ends with the
    server, and say so."""
    try:
        return work(runs())
    except RunError as error:
        impact_state().notice = f"This result is not kept beyond a restart: {error}"
        return work(spare_runs())


def stores() -> Iterator[RunStore]:
    """Where runs may be: the store, and the one for what it could not take, where that was made."""
    with suppress(RunError):
        yield runs()
    yield from spare_stores()


def found_run(run: str) -> tuple[RunStore, Run] | None:
    """A run, and the store that holds it; None where none does."""
    for store in stores():
        with suppress(RunError):
            known = store.get(run)
            if known is not None:
                return store, known
    return None


def store_of(run: str) -> RunStore:
    """The store that holds a run."""
    found = found_run(run)
    return spare_runs() if found is None else found[0]


def known_run(run: str) -> Run | None:
    found = found_run(run)
    return None if found is None else found[1]


@st.cache_resource(show_spinner=False, max_entries=20)
def opened(study: str) -> Study | None:
    """A study; None where it is not known, or cannot be read."""
    for store in stores():
        with suppress(RunError):
            found = store.studies.get(study)
            if found is not None:
                return found
    return None


@st.cache_resource(show_spinner=False, max_entries=40)
def kept_impact(run: str, measured: bool) -> Impact | None:
    """A kept analysis; `measured` tells the one before from the one after it was measured."""
    found = found_run(run)
    if found is None:
        return None
    store, known = found
    study = opened(known.study) if known.study else None
    with suppress(RunError):
        return store.impact(run, None if study is None else study.protein)
    return None


def forget_kept(run: str) -> None:
    """Read an analysis anew, which was measured once more."""
    kept_impact.clear(run, True)


def analysis(run: str) -> Impact | None:
    """The analysis of a run, as it is now; None where there is none."""
    known = known_run(run)
    return None if known is None else kept_impact(run, known.measured)


def open_study() -> Study | None:
    """The study of the run in the address; None where there is none."""
    run = st.query_params.get("run")
    known = known_run(run) if run else None
    return opened(known.study) if known is not None and known.study else None


def study_for(protein: Protein) -> Study:
    """The open study where it is of this very protein, else a new one."""
    current = open_study()
    if current is not None and (
        current.protein is protein or current.digest == protein_digest(protein)
    ):
        return current
    return keep(lambda store: store.studies.open(protein))


def members(study: str) -> list[Run]:
    """The analyses of a study, the oldest first."""
    found: dict[str, Run] = {}
    for store in stores():
        with suppress(RunError):
            found |= {r.id: r for r in store.of_study(study) if r.kind == "impact"}
    return list(found.values())


def known_already(inputs: AnalysisInputs, model: ModelInfo) -> str | None:
    """The run of the open study that is of this very variant by this very model, if any."""
    study = open_study()
    if study is None or study.protein is not inputs.protein or inputs.mutant_structure is not None:
        return None
    for one in members(study.id):
        made = analysis(one.id) if one.variant == inputs.protein.written(inputs.variant) else None
        if made is not None and made.prediction.model.sha256 == model.sha256:
            return one.id
    return None


def line(run: Run) -> str:
    """A variant in a list: its name, its chance, whether it was measured."""
    parts = [run.variant]
    if run.chance is not None:
        parts.append(f"{run.chance:.2f}")
    if run.ddg is not None:
        parts.append(f"{run.ddg:+.1f}")
    if impact_jobs().going_on(run.id):
        parts.append("measuring")
    elif run.measured:
        parts.append("measured")
    return ("★ " if run.star else "") + " · ".join(parts)


def variant_list(shown: Run) -> None:
    """In the sidebar: the variants of the open protein; choosing one shows it."""
    if shown.study is None:
        return
    known = members(shown.study)
    with st.sidebar:
        study = opened(shown.study)
        if study is not None:
            st.markdown(f"**{plain(study.name)}**")
        lines = {run.id: line(run) for run in known}
        st.session_state["shown_run"] = shown.id
        st.radio(
            "Variants",
            list(lines),
            format_func=lambda run: plain(lines[run]),
            key="shown_run",
            on_change=show_chosen,
            help="Chance of being damaging and ΔΔG in kcal/mol, both predicted.",
        )
        screen = impact_state().screen
        if screen and st.button("Back to the screen", key="back_to_screen"):
            st.switch_page("pages/screen.py", query_params={"run": screen})
        st.button(
            "Another protein",
            key="start_anew",
            on_click=start_anew,
            help="Back to the first screen; this one is kept under Runs.",
        )
        beside = beside_now(shown.id)
        lines |= {run: line(one) for run in beside if run not in lines and (one := known_run(run))}
        others = [run for run in lines if run != shown.id]
        if others:
            st.session_state["beside"] = beside
            st.multiselect(
                "Side by side with",
                others,
                format_func=lines.__getitem__,
                key="beside",
                max_selections=MOST_BESIDE,
                placeholder="Choose up to five",
                on_change=put_beside,
            )


def beside_now(shown: str) -> list[str]:
    """The runs of the same protein that the address puts beside the one that is shown."""
    named = st.query_params.get(BESIDE, "").split(",")
    found = [run for run in dict.fromkeys(named) if run not in ("", shown)]
    return [run for run in found if of_one_protein(shown, run)][:MOST_BESIDE]


def of_one_protein(*runs: str) -> bool:
    """Whether all of these runs are analyses of variants of one sequence."""
    made = [analysis(run) for run in runs]
    return None not in made and len({one.protein.sequence for one in made if one}) == 1


def put_beside() -> None:
    """What was chosen to stand side by side goes into the address."""
    chosen = st.session_state["beside"]
    if chosen:
        st.query_params[BESIDE] = ",".join(chosen)
    else:
        st.query_params.pop(BESIDE, None)


def show_chosen() -> None:
    st.query_params["run"] = st.session_state["shown_run"]


def marks(run: Run) -> None:
    """Star and note of a variant."""
    star, note = st.columns([1, 4], vertical_alignment="center")
    star.toggle("Star", run.star, key=f"star {run.id}", on_change=_mark_star, args=(run.id,))
    note.text_input(
        "Note",
        run.note,
        key=f"note {run.id}",
        placeholder="A note on this variant",
        label_visibility="collapsed",
        on_change=_mark_note,
        args=(run.id,),
    )


def _mark_star(run: str) -> None:
    store_of(run).mark(run, star=bool(st.session_state[f"star {run}"]))


def _mark_note(run: str) -> None:
    store_of(run).mark(run, note=str(st.session_state[f"note {run}"]))
