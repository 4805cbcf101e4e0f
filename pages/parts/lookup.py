"""The accession box: look up, what was found, clear; the Impact and Screen pages share it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from glass_core.errors import GlassError, StructureError
from glass_core.inputs.upload import Upload
from glass_core.protein.accession import ACCESSION_EXAMPLES, read_accession
from glass_core.protein.annotation import Annotation
from glass_core.protein.structure.file import list_chains, read_structure
from glass_core.protein.written import take_apart
from glass_core.sources.examples import LOOKUP_EXAMPLES
from glass_core.sources.fetch import Fetcher
from glass_core.sources.lookup import Found, look_up
from pages.parts.common import plain, settings
from pages.parts.state import lookup_state

Taken = Callable[[Found, str], None]
"""Called with what was found and the words behind the accession."""


def accession_input(role: str) -> None:
    """The box with its button, examples, and what is known now; see `look_up_asked`.

    The annotation is in ``{role}annotation``.
    """
    box, button = st.columns([2.2, 1], vertical_alignment="bottom")
    box.text_input(
        "Accession",
        key=f"{role}accession",
        persist_state="session",
        placeholder=ACCESSION_EXAMPLES,
        help="UniProt (sequence, features, known variants, AlphaFold's model) or PDB. "
        "A variant may follow: P04637 R175H.",
    )
    button.button("Look up", key=f"{role}look_up", width="stretch", on_click=_ask, args=(role,))
    with st.popover("Examples by accession", width="stretch"):
        for name, words in LOOKUP_EXAMPLES.items():
            st.button(
                name,
                key=f"{role}example {name}",
                width="stretch",
                on_click=_type,
                args=(role, words),
            )
        st.caption("They are looked up on the web.")
    _summary(role)


def look_up_asked(role: str, taken: Taken) -> None:
    """Look up what is asked for; before the form is drawn, of which `taken` fills the rest."""
    lookup = lookup_state(role)
    if lookup.start:
        lookup.start = False
        _look_up(role, st.session_state.get(f"{role}accession") or "", taken)


def look_up_problem(role: str) -> None:
    """Why the last look-up failed, for the page to show where the eye is."""
    if lookup_state(role).problem:
        st.error(lookup_state(role).problem, icon=":material/error:")


def _ask(role: str) -> None:
    lookup_state(role).start = True


def _type(role: str, words: str) -> None:
    st.session_state[f"{role}accession"] = words
    lookup_state(role).start = True


def _look_up(role: str, text: str, taken: Taken) -> None:
    lookup = lookup_state(role)
    lookup.problem = ""
    written = take_apart(text)
    try:
        with st.status("Looking up ...") as status:

            def tell(stage: str, fraction: float) -> None:
                status.update(label=f"{stage} ({fraction:.0%})")

            entry = look_up(written.accession or read_accession(text), Fetcher(settings()), tell)
            status.update(label="Found", state="complete")
    except GlassError as error:
        lookup.problem = str(error)
        return
    st.session_state[f"{role}annotation"] = entry.annotation
    lookup.found(entry.notes, entry.model)
    taken(entry, written.rest)


def fasta_of(found: Found) -> str:
    """The sequence that was found as a FASTA record; '' of a PDB entry, which has none."""
    return "" if found.annotation is None else found.annotation.fasta


def only_chain(found: Found) -> str | None:
    """The chain, where there is one; several are for the user to choose from."""
    if found.structure is None:
        return None
    chains = list_chains(found.structure)
    return chains[0].id if len(chains) == 1 else None


def _summary(role: str) -> None:
    known: Annotation | None = st.session_state.get(f"{role}annotation")
    notes = lookup_state(role).notes
    if known is not None:
        st.markdown(f"**{plain(known.title)}**")
        st.caption(
            " · ".join(
                [
                    f"{known.accession}, {len(known.sequence):,} residues",
                    *_confidence(st.session_state.get(f"{role}given")),
                    *(plain(str(one)) for one in known.retrieved),
                ]
            )
        )
        st.button(
            "Clear the accession",
            key=f"{role}clear_accession",
            on_click=_clear,
            args=(role,),
            width="stretch",
        )
    if notes:
        with st.expander(f"What was not found, and what was chosen ({len(notes)})"):
            for note in notes:
                st.markdown(f"- {plain(note)}")


def _confidence(given: Upload | None) -> list[str]:
    mean = None if given is None else mean_plddt(given)
    return [] if mean is None else [f"mean pLDDT {mean:.1f}"]


@st.cache_data(show_spinner=False, max_entries=8)
def mean_plddt(given: Upload) -> float | None:
    try:
        structure = read_structure(given.content, name=given.name)
    except StructureError:
        return None
    return None if structure.plddt is None else float(structure.plddt.mean())


def _clear(role: str) -> None:
    lookup_state(role).found()
    st.session_state.update(
        {f"{role}annotation": None, f"{role}accession": "", f"{role}wild": "", f"{role}given": None}
    )
