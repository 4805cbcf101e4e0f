"""What the pages share: settings, models, jobs, runs and the structure input."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from glass_core.embedders.esm2_scores import esm2_title
from glass_core.errors import StructureError
from glass_core.impact.record import Impact
from glass_core.inputs.proposals import ListProposal, NumberingProposal
from glass_core.inputs.upload import Upload
from glass_core.models.evaluation import Evaluation
from glass_core.models.predictor import Predictor
from glass_core.models.registry import DEFAULT_MODEL, list_models, load_predictor
from glass_core.models.registry import records_of as installed_records
from glass_core.protein.notation import FORMS
from glass_core.protein.numbering import NUMBERING_KINDS, Numbering, NumberingKind
from glass_core.protein.structure.file import Chain, list_chains
from glass_core.report.export import Export
from glass_core.report.viewer import read_script
from glass_core.runs.jobs import JobBoard
from glass_core.runs.store import RunStore
from glass_core.settings import Settings

NUMBERINGS = {
    "sequence": "sequence, from 1",
    "UniProt": "UniProt entry",
    "author": "structure's author",
}


@dataclass(frozen=True)
class Wanted:
    """A page that was asked for past the front door."""

    page: str
    query: dict[str, str]


def through_the_front_door(page: str) -> None:
    """Begin every page with this: the first visitor of a server may come straight to a page.

    Streamlit then runs the page's file alone, without navigation and layout.
    """
    if "front_door" not in st.session_state:
        st.session_state["wanted"] = Wanted(page, dict(st.query_params))
        st.switch_page("app.py")
    state = st.session_state
    state["came_from"], state["page_now"] = state.get("page_now", page), page


def back_from_another_page() -> bool:
    """Whether this is the first run of this page since another one was shown."""
    return bool(st.session_state.get("came_from") != st.session_state.get("page_now"))


def gone_back(run: str, shown_there: str, shown_here: str) -> str:
    """What this page showed before its visitor left it for `run` of another one; '' for nothing.

    Streamlit first puts the run that is opened on another page into this page's address, so
    that the browser's Back leads there.
    """
    return shown_here if back_from_another_page() and run == shown_there else ""


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def impact_jobs() -> JobBoard[Impact]:
    return JobBoard()


@st.cache_resource(show_spinner=False)
def screen_jobs() -> JobBoard[None]:
    return JobBoard()


@st.cache_resource(show_spinner=False)
def runs() -> RunStore:
    return RunStore(settings().runs)


@st.cache_resource(show_spinner=False)
def spare_stores() -> list[RunStore]:
    """None, or the one that `spare_runs` made."""
    return []


def spare_runs() -> RunStore:
    """Where results are kept when the store cannot be written; gone when the server ends."""
    made = spare_stores()
    if not made:
        folder = TemporaryDirectory(prefix="glass-")
        made.append(RunStore(Path(folder.name) / "runs.sqlite"))
        weakref.finalize(made[0], folder.cleanup)
    return made[0]


def usable_models() -> list[str]:
    """The models that can predict here, the one to begin with first."""
    names = [e.name for e in list_models(settings()) if e.unavailable_reason is None]
    return names or [DEFAULT_MODEL]


@st.cache_resource(show_spinner=False, max_entries=2)
def predictor(name: str) -> Predictor:
    loaded = load_predictor(settings(), name)
    keep_out_of_collections()
    return loaded


@st.cache_data(show_spinner=False, max_entries=4)
def records_of(model: str) -> dict[str, Evaluation]:
    """Evaluation records of an installed model, by set; none of one that is not."""
    return installed_records(settings(), model)


@cache
def keep_out_of_collections() -> None:
    """What is loaded by now stays: the garbage collector need not walk it again and again.

    Streamlit collects after every run of a script, which takes time by the number of objects
    there are, and almost all of them are the libraries' and the model's. Once in a process, so
    that what visitors leave behind is collected later on.
    """
    gc.collect()
    gc.freeze()


@st.cache_data(show_spinner=False, max_entries=1)
def viewer_script() -> str | None:
    return read_script(settings().assets)


@st.cache_data(show_spinner=False, max_entries=8)
def chains_of(given: Upload) -> tuple[Chain, ...]:
    return list_chains(given.content, name=given.name)


def numbering_input(role: str) -> None:
    """What the numbers in variants mean, in ``{role}numbering``, and the forms they may have.

    A numbering of the user's own, in ``{role}own_numbering``, is offered with the others.
    """
    own: Numbering | None = st.session_state.get(f"{role}own_numbering")
    offered: list[NumberingKind | Numbering] = [*NUMBERING_KINDS, *([] if own is None else [own])]
    if st.session_state.get(f"{role}numbering") not in offered:
        st.session_state[f"{role}numbering"] = NUMBERING_KINDS[0]
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    left.selectbox(
        "Residues are numbered by",
        offered,
        key=f"{role}numbering",
        persist_state="session",
        format_func=numbering_title,
    )
    with right.popover("How to write variants", width="content"):
        st.markdown("\n".join(f"- `{text}`: {what}" for text, what in FORMS.items()))


def counting_fields(role: str, numbering: NumberingKind | Numbering) -> dict[str, object]:
    """What the fields of `numbering_input` hold where residues are counted like this."""
    own = numbering if isinstance(numbering, Numbering) else None
    return {f"{role}own_numbering": own, f"{role}numbering": numbering}


def offer_numberings(
    role: str, proposals: Iterable[NumberingProposal | ListProposal], then: Callable[[], None]
) -> None:
    """The numberings in which more could be read, each with a button that takes it up.

    Parameters
    ----------
    role : str
        As of `numbering_input`.
    then : callable
        Called once one was taken.
    """

    def take(numbering: NumberingKind | Numbering) -> None:
        st.session_state.update(counting_fields(role, numbering))
        then()

    for number, proposal in enumerate(proposals):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(plain(proposal.words))
        right.button(
            "Use that",
            key=f"{role}proposal {number}",
            on_click=take,
            args=(proposal.numbering,),
            width="stretch",
        )


def plain(text: str) -> str:
    """Text from elsewhere, so that Markdown shows it as it is."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>~$:&" else letter for letter in text
    )


def numbering_title(numbering: NumberingKind | Numbering) -> str:
    return NUMBERINGS[numbering] if isinstance(numbering, str) else numbering.words


def take_upload(role: str) -> None:
    """A file that comes alone is counted by its author's numbers, as its user will."""
    state = st.session_state
    file = state.get(uploader_key(role))
    state[f"{role}given"] = None if file is None else Upload(file.getvalue(), file.name)
    if file is not None and not state.get(f"{role}wild", "").strip():
        state[f"{role}numbering"] = "author"


def uploader_key(role: str) -> str:
    """The key of the field for a structure's file; another one empties it."""
    return f"{role}file {st.session_state.get(f'{role}uploads', 0)}"


def empty_uploader(role: str) -> None:
    """The file that was given is not named in the field for it any more."""
    st.session_state[f"{role}uploads"] = st.session_state.get(f"{role}uploads", 0) + 1


def clear_structure(role: str) -> None:
    st.session_state[f"{role}given"] = None
    empty_uploader(role)


def structure_input(role: str, label: str, explanation: str) -> str | None:
    """File drop and, where there are several protein chains, the choice of one.

    The upload is in ``{role}given``, its chain in ``{role}chain``. Returns what is wrong.
    """
    st.file_uploader(
        label, key=uploader_key(role), on_change=take_upload, args=(role,), help=explanation
    )
    given: Upload | None = st.session_state.get(f"{role}given")
    if given is None:
        return None
    left, right = st.columns([1.5, 1], vertical_alignment="center")
    left.caption(f"Structure: {given.name}")
    right.button("Remove", on_click=clear_structure, args=(role,), key=f"{role}remove_structure")
    try:
        chains = chains_of(given)
    except StructureError as error:
        return str(error)
    key = f"{role}chain"
    if len(chains) > 1:
        ids = [c.id for c in chains]
        if st.session_state.get(key) not in ids:
            st.session_state[key] = None
        labels = {c.id: str(c) for c in chains}
        st.selectbox(
            "Chain",
            ids,
            key=key,
            persist_state="session",
            index=None,
            format_func=labels.__getitem__,
            placeholder="Choose a protein chain",
        )
        with st.expander("Sequences of the chains"):
            st.code(
                "\n".join(f">{c.id}\n{c.sequence}" for c in chains), language=None, wrap_lines=True
            )
    else:
        st.session_state[key] = chains[0].id
    assembly = st.toggle(
        "Contacts within the biological assembly",
        given.neighbours == "assembly",
        help="Which chains touch a residue: those of the assembly, symmetry copies included, or "
        "of the file as it is.",
        key=f"{role}assembly",
    )
    st.session_state[f"{role}given"] = replace(given, neighbours="assembly" if assembly else "unit")
    return None


@st.cache_data(show_spinner=False, ttl=60)
def esm2_found() -> str:
    """What the weights of ESM-2 on this machine are called; '' where there are none."""
    return esm2_title(settings())


def esm2_option(key: str) -> None:
    """Whether ESM-2 is asked as well; not shown without its weights."""
    if title := esm2_found():
        st.toggle(
            "Ask ESM-2 as well",
            key=key,
            help=f"{title}, an external model: its log-odds of every substitution, from one pass "
            "over the wild type. Nothing of ours is computed from them. The command line also has "
            "masked marginals: --esm2 masked.",
        )


def esm2_asked(key: str) -> bool:
    """Whether it is, and can be."""
    return bool(esm2_found() and st.session_state.get(key))


def download_buttons(files: Sequence[Export], role: str = "") -> None:
    """A button side by side for each file, made when it is pressed; keys begin with `role`."""
    for column, export in zip(st.columns(len(files)), files, strict=True):
        column.download_button(
            export.label,
            export.make,
            file_name=export.file_name,
            mime=export.mime,
            key=f"{role}download {export.label}",
            on_click="ignore",
            width="stretch",
            disabled=bool(export.unavailable),
            help=export.unavailable or None,
        )
