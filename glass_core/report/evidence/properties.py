"""How well properties of whole proteins are told, from their records: tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from glass_core.errors import GlassError
from glass_core.models.evaluation import (
    ENCODERS,
    HEAD,
    HEAD_SEQUENCE,
    Evaluation,
    Figure,
    read_evaluations,
)
from glass_core.models.properties.kinds import PROPERTIES, property_kind
from glass_core.models.properties.registry import DEFAULT_PROPERTIES, list_property_models
from glass_core.report.evidence.compare import above, compared, inside
from glass_core.settings import Settings

LEADING = {
    "enzyme": "f_max",
    "ontology": "f_max",
    "thermostability": "spearman",
    "ranking": "spearman within a target",
    "binding": "auroc",
    "stability": "spearman within a protein",
}
"""The figure of each head that is told first."""
_WORDS = {
    "f_max": "F-max",
    "spearman": "Spearman's correlation",
    "spearman within a target": "mean Spearman's correlation within a target",
    "spearman within a protein": "mean Spearman's correlation within a protein",
    "auroc": "AUROC (stronger from weaker binding)",
}
_LIMITS = {
    "enzyme": (
        "Learnt from the classes that DeepFRI lists, and from enzymes alone: for other proteins "
        "its answer means nothing."
    ),
    "ontology": "A slim ontology of yeast; other organisms are not measured.",
    "thermostability": (
        "Between proteins, in cells of three species; that of single substitutions was not "
        "measured."
    ),
    "ranking": "On structures that were spoilt on purpose; those of predictors err in other ways.",
    "binding": "Few complexes are unseen, so that the interval is wide.",
    "stability": (
        "The same small network over what each reads of a residue; no prediction of GLASS comes "
        "from it, those of stability come from a head over ProteinMPNN."
    ),
}


def property_records(settings: Settings) -> dict[str, Evaluation]:
    """Records of the model of properties that comes with the project, by head.

    Raises
    ------
    InputError
        A record that cannot be read.
    """
    folder = list_property_models(settings).get(DEFAULT_PROPERTIES)
    found = {} if folder is None else read_evaluations(folder)
    order = (*(kind.head for kind in PROPERTIES), ENCODERS)
    return {name: found[name] for name in order if name in found}


def figures_table(record: Evaluation) -> pd.DataFrame:
    """Every figure of the head and of what it is compared with."""
    return pd.DataFrame(
        [
            {"predictor": who, **_columns(told, record.set)}
            for who, told in record.content["figures"].items()
        ]
    )


def kinds_table(record: Evaluation) -> pd.DataFrame:
    """The leading figure for each kind of example; empty where the record has no kinds."""
    name, many = LEADING[record.set], record.content.get("kinds", {})
    return pd.DataFrame(
        [
            {
                f"{_title(name, record.set)} of": f"{kind} ({many.get(kind, 0):,})",
                **{who: str(Figure(**figures[name])) for who, figures in told.items()},
            }
            for kind, told in record.content.get("by_kind", {}).items()
        ]
    )


def ablation_table(record: Evaluation) -> pd.DataFrame:
    """The same head over other encoders; empty where none was tried."""
    return pd.DataFrame(
        [
            {"encoder": who, **_columns(told, record.set)}
            for who, told in record.content.get("ablations", {}).items()
        ]
    )


def _columns(told: Mapping[str, Mapping[str, Any]], head: str) -> dict[str, str]:
    return {_title(name, head): str(Figure(**one)) for name, one in told.items()}


def _title(name: str, head: str) -> str:
    """A figure's name at the head of a column."""
    if name == "median error":
        return f"{name}, {property_kind(head).unit}"
    if " below " in name:
        name = f"{name.replace(' below ', ', under ')} identity"
    for plainly, written in (("f_max", "F-max"), ("auroc", "AUROC"), ("spearman", "Spearman")):
        name = name.replace(plainly, written)
    return name


def property_words(record: Evaluation) -> str:
    """What the record says of a head, against the best of what it is compared with."""
    own, other, figure = _beside_the_best(record)
    return (
        f"{title_of(record).capitalize()}: {_WORDS[LEADING[record.set]]} {inside(own)}, "
        f"{compared(own, figure)} {other} ({inside(figure)}).{_besides(record)} "
        f"{_LIMITS[record.set]}"
    )


def _besides(record: Evaluation) -> str:
    """What the leading figure does not show: errors in units, and whether structures help."""
    blind = record.figure(HEAD_SEQUENCE, LEADING[record.set])
    if blind.value is not None:
        return f" Without the structure {blind.value:.2f}."
    error = "median error"
    own = record.figure(HEAD, error)
    others = {
        who: record.figure(who, error).value
        for who in record.content["figures"]
        if who != HEAD and record.figure(who, error).value is not None
    }
    if own.value is None or not others:
        return ""
    unit, least = property_kind(record.set).unit, min(others, key=lambda who: others[who] or 0.0)
    return f" Median error {own.value:.1f} {unit}, by '{least}' {others[least]:.1f}."


def _beside_the_best(record: Evaluation) -> tuple[Figure, str, Figure]:
    """The leading figure of a record; the best of what it is compared with, and its figure."""
    name, leader = LEADING[record.set], record.content.get("own", HEAD)
    others = {
        who: record.figure(who, name)
        for who in record.content["figures"]
        if not who.startswith(leader) and record.figure(who, name).value is not None
    }
    best = max(others, key=lambda who: others[who].value or 0.0)
    return record.figure(leader, name), best, others[best]


def title_of(record: Evaluation) -> str:
    """What the record is about."""
    if record.set == ENCODERS:
        return "fold stability over the joint encoder"
    return property_kind(record.set).title


def counts(record: Evaluation) -> str:
    """How many took part."""
    content = record.content
    asked = {
        "proteins": "proteins",
        "classes": "classes",
        "decoys": "structures",
        "targets": "targets",
        "changes": "changes of binding",
        "complexes": "complexes",
        "stronger": "stronger than the wild type",
    }
    told = [f"{content[key]:,} {words}" for key, words in asked.items() if key in content]
    trained = f", trained on {content['training']:,}" if "training" in content else ""
    binned = any(" below " in name for name in content["figures"].get(HEAD, {}))
    identity = " Identity is that to the nearest of DeepFRI's training proteins." if binned else ""
    return f"{', '.join(told)}{trained}; {record.side} side. Intervals over groups, 95%.{identity}"


@dataclass(frozen=True)
class Caveat:
    """How well a head does on unseen proteins, beside the best other way, and its limits.

    Attributes
    ----------
    words : str
    beaten : bool
        Whether the other way is better, beyond the error.
    """

    words: str
    beaten: bool


def property_caveats(settings: Settings) -> list[Caveat]:
    """Of every head; none where there are no records."""
    try:
        records = property_records(settings)
    except GlassError:
        return []
    found = []
    for name, record in records.items():
        if name != ENCODERS:
            own, _, other = _beside_the_best(record)
            found.append(Caveat(property_words(record), above(own, other) == -1))
    return found
