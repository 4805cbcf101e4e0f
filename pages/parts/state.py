"""What the pages remember between their runs beside their fields, a record for each.

Fields have keys of their own in the session, so that they can be set before they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from glass_core.inputs.proposals import NumberingProposal
from glass_core.inputs.upload import Upload
from glass_core.protein.profile import AlignmentProfile
from glass_core.sources.alphafold import Model
from glass_core.sources.candidates import Candidate

WILD, MUTANT = "", "mutant_"
"""How the keys of the Impact page's fields begin, those of the wild type and of the mutant."""


@dataclass
class ImpactState:
    """The Impact page's.

    Attributes
    ----------
    start : bool
        The form is to be analysed, until it was or is given up.
    problem : str or None
        What the last check found wrong.
    several : bool
        The variant names several, which a screen takes.
    reading : str
        How the variant of the last analysis was read.
    notice : str
        To be shown once, above the result.
    filled : str
        The run whose inputs the form shows.
    shown, beside : str
        The run that was shown last, and what the address put beside it.
    screen : str
        The screen that a variant was opened from.
    asked : tuple
        What the form held when the result that is shown was asked for.
    typed, pasted : str
        What stands in the box while it is typed, and lines that were pasted into it.
    selected : int or None
        The residue that is chosen, a 1-based sequence position; by default the substituted one.
    selected_turn : int
        How often it was chosen by the page and not by a click in a view.
    clicked : bool
        It was chosen in a view, and the rest of the page is still to follow.
    choices : tuple of Candidate
        Entries that may be meant by what was typed.
    notes : tuple of str
        What was chosen on the way to the entry.
    offer : str
        A FASTA record that may be taken in place of what was typed.
    proposals : tuple of NumberingProposal
        Numberings in which the variant would fit.
    next_wild, next_accession : str or None
        What the field is to hold in the next run, which then begins; a field that is drawn
        cannot be set.
    next_fields : dict
        The same of any fields, and nothing begins.
    """

    start: bool = False
    problem: str | None = None
    several: bool = False
    reading: str = ""
    notice: str = ""
    selected: int | None = None
    selected_turn: int = 0
    clicked: bool = False
    filled: str = ""
    shown: str = ""
    beside: str = ""
    screen: str = ""
    asked: tuple[object, ...] = ()
    typed: str = ""
    pasted: str = ""
    choices: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    offer: str = ""
    proposals: tuple[NumberingProposal, ...] = ()
    next_wild: str | None = None
    next_accession: str | None = None
    next_fields: dict[str, object] = field(default_factory=dict)

    def give_up(self) -> None:
        """What was to be analysed is not any more."""
        self.start = False

    def select(self, position: int | None) -> None:
        """Choose a residue, or none, by the page; the views are told."""
        self.selected, self.selected_turn = position, self.selected_turn + 1

    def forget_problem(self) -> None:
        """What was wrong before, and the ways out of it."""
        self.problem, self.several, self.offer = None, False, ""
        self.choices, self.proposals, self.notes = (), (), ()


@dataclass
class ScreenState:
    """The Screen page's.

    Attributes
    ----------
    start : bool
        The form is to be screened as soon as it is valid.
    shown_run : str
        The run whose results were shown last.
    filled : str
        The run whose inputs the form shows.
    asked : tuple
        What the form held when the run that is shown was asked for; () until that is known.
    uploads : int
        How many tables were put away; the field for the next has a number of its own.
    """

    start: bool = False
    shown_run: str = ""
    filled: str = ""
    asked: tuple[object, ...] = ()
    uploads: int = 0


@dataclass
class AskedState:
    """Of a page whose form is answered at once.

    Attributes
    ----------
    start : bool
        What the form holds is to be answered.
    problem : str
        What the last check found wrong.
    shown : str
        The answer that was shown last, by its name in the address.
    """

    start: bool = False
    problem: str = ""
    shown: str = ""


@dataclass
class SearchState(AskedState):
    """The Search page's.

    Attributes
    ----------
    site : int or None
        The residue that is looked at, a 1-based sequence position.
    mutant : str
        What is put there; '' for nothing.
    next_site, next_mutant : int or None, str
        The same for the protein that another page sends here.
    """

    site: int | None = None
    mutant: str = ""
    next_site: int | None = None
    next_mutant: str = ""


@dataclass
class MapState(AskedState):
    """The Map page's.

    Attributes
    ----------
    picked : tuple of int
        Rows of the background that are chosen.
    given : tuple of Upload
        Files that another page sent here.
    """

    picked: tuple[int, ...] = ()
    given: tuple[Upload, ...] = ()


@dataclass
class LookupState:
    """An accession box's.

    Attributes
    ----------
    start : bool
        What the box holds is to be looked up in this run.
    problem : str
        Why the last look-up failed.
    notes : tuple of str
        What the last one did not find, and what it chose.
    model : Model or None
        AlphaFold DB's model that it found.
    homologues : Upload or None
        The alignment behind that model, once it was fetched.
    alignment_problem : str
        Why it could not be.
    profile : AlignmentProfile or None
        What was read of the alignment behind a result that was opened.
    """

    start: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()
    model: Model | None = None
    homologues: Upload | None = None
    alignment_problem: str = ""
    profile: AlignmentProfile | None = None

    def found(self, notes: tuple[str, ...] = (), model: Model | None = None) -> None:
        """Take up what a look-up found; by default nothing."""
        self.notes, self.model = notes, model
        self.homologues, self.alignment_problem, self.profile = None, "", None


def impact_state() -> ImpactState:
    state: ImpactState = st.session_state.setdefault("impact_state", ImpactState())
    return state


def screen_state() -> ScreenState:
    state: ScreenState = st.session_state.setdefault("screen_state", ScreenState())
    return state


def search_state() -> SearchState:
    state: SearchState = st.session_state.setdefault("search_state", SearchState())
    return state


def map_state() -> MapState:
    state: MapState = st.session_state.setdefault("map_state", MapState())
    return state


def lookup_state(role: str) -> LookupState:
    """Of the box on the page whose fields' keys begin with `role`."""
    state: LookupState = st.session_state.setdefault(f"{role}lookup_state", LookupState())
    return state
