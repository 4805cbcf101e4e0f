"""The form of the Map page: proteins, files, variants; their places are kept for a while."""

from __future__ import annotations

import streamlit as st

from glass_core.errors import GlassError
from glass_core.inputs.upload import EXAMPLE_CHAIN, EXAMPLE_VARIANT, Upload, example_upload
from glass_core.models.space.base import Space
from glass_core.models.space.registry import load_space
from glass_core.progress import Watch
from glass_core.protein.structure.file import read_structure
from glass_core.space.background import Background, open_background
from glass_core.space.mapped import Mapped, map_given
from pages.parts.common import empty_uploader, keep_out_of_collections, settings, uploader_key
from pages.parts.hand_over import HandOver
from pages.parts.shelf import Shelf
from pages.parts.state import map_state
from pages.parts.turn import in_turn

ROLE = "map_"
_FILES = ["fasta", "fa", "faa", "pdb", "ent", "cif", "mmcif", "bcif", "gz", "npz", "csv", "parquet"]
_FIRST = {"map_text": "", "map_variants": "", "map_chains": ""}


def first_values() -> None:
    """What the fields hold before anybody filled them."""
    for field, value in _FIRST.items():
        st.session_state.setdefault(field, value)


def hero() -> None:
    st.title("Where does it lie among known folds?", anchor=False)
    st.markdown(
        "Sequences and structures in one space: chains of known class, and yours among them."
    )


def entry() -> None:
    """The fields and the buttons; what was wrong stands beneath."""
    left, right = st.columns(2, gap="large")
    left.text_area(
        "Proteins",
        key="map_text",
        persist_state="session",
        height=110,
        placeholder="Letters or FASTA; distances are told to the first one.",
    )
    right.file_uploader(
        "or files: FASTA, structures, vectors",
        type=_FILES,
        accept_multiple_files=True,
        key=uploader_key(ROLE),
        help="Of a structure each chain is placed twice, by its sequence and by its backbone. "
        "Vectors are those that 'glass embed --space' wrote, or a table with a column id and a "
        "number for each dimension.",
    )
    files = map_state().given
    if files:
        names, remove = right.columns([3, 1], vertical_alignment="center")
        names.caption("Given, too: " + ", ".join(file.name for file in files))
        remove.button("Remove", key="map_remove", on_click=_forget_files)
    right.text_input(
        "Chains of the structures (optional)",
        key="map_chains",
        persist_state="session",
        placeholder="A, B",
        help="By default every one that has a sequence of its own.",
    )
    left.text_input(
        "Variants of the first (optional)",
        key="map_variants",
        persist_state="session",
        placeholder="R175H, R273H",
        help="Positions count along its sequence, from 1.",
    )
    left, middle, right = st.columns([1, 2, 2])
    left.button("Place", key="map_start", type="primary", width="stretch", on_click=begin)
    middle.button("Example: a globin and a mutant", key="map_example", on_click=fill_example)
    right.button("Empty the form", key="map_clear", on_click=_clear)
    if map_state().problem:
        st.error(map_state().problem, icon=":material/error:")


def begin() -> None:
    map_state().problem = ""
    map_state().start = True


def fill_example() -> None:
    """The example of the Impact page: its chain as sequence and structure, and its mutant."""
    example = example_upload()
    chain = read_structure(example.content, chain=EXAMPLE_CHAIN, name=example.name)
    _fill(HandOver("", EXAMPLE_VARIANT, Upload.of_structure(chain), EXAMPLE_CHAIN))
    begin()


def fill_from(given: HandOver) -> None:
    """Take up proteins that another page sends here; they are placed at once."""
    _fill(given)
    begin()


def _fill(given: HandOver) -> None:
    empty_uploader(ROLE)
    st.session_state.update({**_FIRST, "map_text": given.wild, "map_variants": given.variants})
    map_state().given = () if given.structure is None else (given.structure,)
    map_state().picked = ()


def _forget_files() -> None:
    map_state().given = ()


def _clear() -> None:
    _fill(HandOver("", ""))
    map_state().problem, map_state().shown = "", ""
    st.query_params.pop("map", None)


def start_placing() -> str | None:
    """Place what the form holds; the name of what was placed, None where it could not be."""
    fields, state = st.session_state, map_state()
    state.problem = ""
    dropped = fields.get(uploader_key(ROLE)) or []
    files = [*state.given, *(Upload(file.getvalue(), file.name) for file in dropped)]
    text, variants = fields["map_text"], fields["map_variants"]
    chains = fields["map_chains"].replace(",", " ").split()
    try:
        space = the_space()

        def work(watch: Watch) -> Mapped:
            return map_given(text, files, variants, space, watch, chains)

        mapped = in_turn("Placing.", work, given_up=_give_up)
    except GlassError as error:
        state.problem = str(error)
        return None
    state.picked = ()
    return maps().put(mapped)


def _give_up() -> None:
    map_state().start = False


@st.cache_resource(show_spinner="Loading the space.")
def the_space() -> Space:
    """The space that the map shows."""
    space = load_space(settings())
    keep_out_of_collections()
    return space


@st.cache_resource(show_spinner="Loading the map.")
def the_background() -> Background:
    """What lies behind a visitor's proteins."""
    return open_background(settings(), the_space().info)


@st.cache_resource(show_spinner=False)
def maps() -> Shelf[Mapped]:
    """What was placed, by the name that addresses have."""
    return Shelf()
