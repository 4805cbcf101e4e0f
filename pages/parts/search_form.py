"""The form of the Search page: a protein, a database, the start of a search."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from glass_core.errors import GlassError, UnavailableError
from glass_core.inputs.proteins import read_protein
from glass_core.inputs.upload import EXAMPLE_CHAIN, Upload, example_upload
from glass_core.models.registry import fold_chances_of
from glass_core.progress import Watch
from glass_core.protein.annotation import Annotation
from glass_core.protein.protein import Protein
from glass_core.search.database import Database
from glass_core.search.neighbours import MOST_NEIGHBOURS, TOP
from glass_core.search.packing import list_databases, open_database
from glass_core.search.relatives import Relatives, find_relatives
from glass_core.sources.lookup import Found
from pages.parts.alignment import take_alignment
from pages.parts.common import (
    counting_fields,
    empty_uploader,
    numbering_input,
    settings,
    structure_input,
)
from pages.parts.hand_over import HandOver
from pages.parts.lookup import accession_input, fasta_of, look_up_problem, only_chain
from pages.parts.shelf import Shelf
from pages.parts.state import lookup_state, search_state
from pages.parts.turn import in_turn, loaded

ROLE = "search_"
EXAMPLE_SITE = 31
_FIRST = {"search_wild": "", "search_top": TOP, "search_numbering": "sequence"}


def first_values() -> None:
    """What the fields hold before anybody filled them."""
    for field, value in _FIRST.items():
        st.session_state.setdefault(field, value)


def hero() -> None:
    st.title("Which proteins share its fold?", anchor=False)
    st.markdown(
        "Give a protein: its likely relatives of known structure, found and aligned from the "
        "sequence alone, and what stands in them at a residue of yours."
    )


def fill_example() -> None:
    """The example of the Impact page, and its residue."""
    _fill(HandOver("", "", example_upload(), EXAMPLE_CHAIN))
    search_state().problem = ""
    search_state().site, search_state().mutant = EXAMPLE_SITE, "P"
    search_state().start = True


def fill_from(given: HandOver) -> None:
    """Take up a protein that another page sends here; it is searched for at once."""
    _fill(given)
    state = search_state()
    state.site, state.mutant = state.next_site, state.next_mutant
    state.next_site, state.next_mutant = None, ""
    state.start = True


def _fill(given: HandOver) -> None:
    empty_uploader(ROLE)
    st.session_state.update(
        {
            "search_wild": given.wild,
            "search_given": given.structure,
            "search_chain": given.chain,
            "search_annotation": given.annotation,
            "search_accession": "",
            **counting_fields(ROLE, given.numbering),
        }
    )
    take_alignment(ROLE, given.alignment)
    search_state().site, search_state().mutant = None, ""


def take_found(found: Found, variants: str) -> None:
    """Fill the form with what an accession led to."""
    st.session_state.update(
        {
            "search_wild": fasta_of(found),
            "search_given": Upload.if_any(found.structure, found.structure_name),
            "search_chain": only_chain(found),
            **counting_fields(ROLE, "sequence"),
        }
    )
    search_state().site, search_state().mutant = None, ""


def entry() -> None:
    """The fields and the button; what was wrong stands beneath."""
    left, right = st.columns(2, gap="large")
    with left:
        st.text_area(
            "Protein",
            key="search_wild",
            persist_state="session",
            height=110,
            placeholder="Letters or one FASTA record; leave empty to use the structure's own.",
        )
        accession_input(ROLE)
    with right:
        st.selectbox(
            "Database",
            database_names(),
            key="search_database",
            persist_state="session",
            help="Your own: make one with 'glass database build' in the folder "
            f"{settings().databases}.",
        )
        st.number_input("Neighbours", 1, MOST_NEIGHBOURS, key="search_top", persist_state="session")
        with st.expander("Structure, numbering"):
            problem = structure_input(
                ROLE,
                "Structure (optional)",
                "Neighbours are laid on it, and TM-scores measured where theirs are at hand.",
            )
            numbering_input(ROLE)
        if problem is not None:
            st.error(problem, icon=":material/error:")
    left, right = st.columns([1, 4])
    left.button(
        "Search",
        key="search_start",
        type="primary",
        width="stretch",
        on_click=begin,
        disabled=problem is not None,
    )
    right.button("Example: a globin (2GTL chain A)", key="search_example", on_click=fill_example)
    look_up_problem(ROLE)
    if search_state().problem:
        st.error(search_state().problem, icon=":material/error:")


@st.cache_data(show_spinner=False, ttl=10)
def database_names() -> list[str]:
    """The databases that can be searched, the one that comes with the project first."""
    return list(list_databases(settings()))


def begin() -> None:
    search_state().problem = ""
    search_state().start, search_state().site, search_state().mutant = True, None, ""


def protein_given() -> Protein:
    """The protein of the fields, counted as they say.

    Raises
    ------
    GlassError
        Something is wrong with it.
    """
    fields = st.session_state
    annotation: Annotation | None = fields.get("search_annotation")
    given: Upload | None = fields.get("search_given")
    chain = fields.get("search_chain") if given else None
    protein = read_protein(fields["search_wild"], given, chain, annotation)
    profile = lookup_state(ROLE).profile
    if profile is not None and profile.wild_type == protein.sequence:
        protein = replace(protein, profile=profile)
    return protein.counted_by(fields["search_numbering"])


def start_search() -> str | None:
    """Search for what the form holds; the name of what was found, None where it could not be."""
    state = search_state()
    state.problem = ""
    try:
        protein = protein_given()
        names = list_databases(settings())
        database = open_database(names.get(st.session_state["search_database"]), settings())
        found = relatives_of(protein, database, int(st.session_state["search_top"]))
    except GlassError as error:
        state.problem = str(error)
        return None
    return searches().put(found)


def relatives_of(protein: Protein, database: Database, top: int) -> Relatives:
    """The neighbours of a protein by the model that made the database, in this visitor's turn.

    Raises
    ------
    GlassError
        The model is not there, or is another.
    """
    model = database.meta.model.name
    try:
        predictor = loaded(model)
    except UnavailableError as error:
        raise UnavailableError(f"database {database.folder.name}: {error}") from error
    chances = fold_chances_of(settings(), model)

    def work(watch: Watch) -> Relatives:
        return find_relatives(protein, database, predictor, chances, top=top, watch=watch)

    return in_turn("Searching.", work, given_up=give_up)


def give_up() -> None:
    search_state().start = False


@st.cache_resource(show_spinner=False)
def searches() -> Shelf[Relatives]:
    """What was found, by the name that addresses have."""
    return Shelf()
