"""What a screen was asked to do, as it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from glass_core.impact.provenance import Provenance
from glass_core.inputs.choice import ChoiceKind
from glass_core.protein.as_json import protein_dict, protein_from
from glass_core.protein.protein import Protein
from glass_core.screen.columns import DEFAULT_RANKING
from glass_core.screen.goal import Goal


@dataclass(frozen=True)
class ScreenRequest:
    """What a screen was asked to do; with its rows, all that is needed to take it up again.

    Attributes
    ----------
    proteins : tuple of Protein
    source : str
        Where the variants came from, in words.
    model : str
        Name of the model.
    remodel : str
        Backend of the second stage; '' for none.
    remodel_top : int
        How many variants it takes.
    ranking : str
        One of `RANKINGS`.
    provenance : mapping
        As `Provenance`, of the screen as a whole.
    goal : Goal or None
        What it is after; None where nobody was asked.
    choice : ChoiceKind or None
        Which variants were chosen, as `VariantChoice` has it; None where that is not known.
    span, text : str
        Of the choice; the text of a file is not kept.
    """

    proteins: tuple[Protein, ...]
    source: str
    model: str
    ranking: str = DEFAULT_RANKING
    remodel: str = ""
    remodel_top: int = 0
    provenance: Mapping[str, Any] | None = None
    goal: Goal | None = None
    choice: ChoiceKind | None = None
    span: str = ""
    text: str = ""

    @property
    def made(self) -> Provenance | None:
        """What the screen was made with; None where that was not kept."""
        kept = self.provenance or {}
        if not {"date", "versions", "inputs"} <= kept.keys():
            return None
        return Provenance(**{f.name: kept[f.name] for f in fields(Provenance) if f.name in kept})

    def to_json(self) -> str:
        """JSON text that `from_json` reads."""
        values = {k: v for k, v in vars(self).items() if k != "proteins"}
        return json.dumps(values | {"proteins": [protein_dict(p) for p in self.proteins]})

    @staticmethod
    def from_json(text: str) -> ScreenRequest:
        """Inverse of `to_json`."""
        values = json.loads(text)
        return ScreenRequest(
            **values | {"proteins": tuple(protein_from(p) for p in values["proteins"])}
        )
