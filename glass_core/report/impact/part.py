"""The part of a report that is about one variant: answer, reasons, figures, tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from glass_core.impact.evidence import agreement
from glass_core.impact.record import Impact
from glass_core.protein.protein import Protein
from glass_core.report.colouring import colourings
from glass_core.report.impact.evidence import check_table, evidence_table, external_note
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.residues import (
    DIGITS,
    changed_rows,
    known_residues,
    measured_residues,
)
from glass_core.report.impact.tables import subdomain_table
from glass_core.report.impact.track import residue_track
from glass_core.report.impact.verdict import hgvs_words, verdict
from glass_core.report.page import figure_html, filled, table_html
from glass_core.report.viewer import ViewOptions, viewer_html

_PART = """<section class="variant" id="{{ place.anchor }}">
<h{{ place.level }}>{{ headline }}</h{{ place.level }}>
<p class="of">{{ protein }}</p>
<dl class="tiles">{% for one in tiles %}
<div><dt>{{ one.name }}</dt><dd>{{ one.value }}</dd>{% if one.note %}<dd>{{ one.note }}</dd>
{% endif %}</div>{% endfor %}</dl>
<p class="lead">{{ sentences[0] }}</p>
{% for flag in flags %}<div class="flag">{{ flag }}</div>{% endfor %}
<h{{ place.level + 1 }}>Reasons</h{{ place.level + 1 }}>
{{ evidence|safe }}{% if agreement %}<p>{{ agreement }}</p>{% endif %}
{% if external %}<p class="of">{{ external }}</p>{% endif %}
{% for sentence in sentences[1:] %}<p>{{ sentence }}</p>{% endfor %}
{{ checks|safe }}
<h{{ place.level + 1 }}>Figures</h{{ place.level + 1 }}>
{% for figure in figures %}<figure class="drawn{{ ' view3d' if figure.view }}">
{{ figure.html|safe }}
{% if figure.view %}<img class="picture" alt="The structure as it was last turned">
<p class="unseen">The 3D view is in the HTML file; this browser could not draw it.</p>{% endif %}
<figcaption>{{ figure.caption }}</figcaption></figure>{% endfor %}
<h{{ place.level + 1 }}>Tables</h{{ place.level + 1 }}>
{{ parts|safe }}{{ known|safe }}{{ measured|safe }}</section>"""
_PART_DIGITS = {
    "mean strain": 4,
    "mean change (predicted, Å)": 2,
    "mean deficit (measured)": 4,
    "mean deficit (predicted)": 4,
}


@dataclass(frozen=True)
class Placed:
    """Where a part stands on its page.

    Attributes
    ----------
    anchor : str
        Its id.
    level : int
        Of its heading.
    brings_plotly : bool
        Whether Plotly's script comes with its first figure.
    viewer : str or None
        Text of 3Dmol.js to come along; None: it is on the page already, or the browser
        fetches it.
    in_3d : bool
        Whether there is a 3D view, where there is a structure.
    """

    anchor: str
    level: int
    brings_plotly: bool = True
    viewer: str | None = None
    in_3d: bool = True


@dataclass(frozen=True)
class Picture:
    """A figure with its caption; `view`: whether it is the one in 3D."""

    html: str
    caption: str
    view: bool = False


def variant_part(impact: Impact, place: Placed) -> str:
    """What is said and shown of one variant, as HTML."""
    said, marked = verdict(impact), changed_rows(impact)
    tables = {
        "evidence": table_html(evidence_table(impact), "The evidence.", digits={"percentile": 0}),
        "checks": table_html(check_table(impact.checks), "What may explain it."),
        "parts": table_html(
            subdomain_table(impact).dropna(axis=1, how="all"),
            "Parts of the fold, the most affected first.",
            digits=_PART_DIGITS,
        ),
        "known": table_html(
            known_residues(impact),
            "The residues: what is known and predicted. Marked: the variant.",
            digits=DIGITS,
            dense=True,
            marked=marked,
        ),
        "measured": table_html(
            measured_residues(impact),
            "The residues: what was measured.",
            digits=DIGITS,
            dense=True,
            marked=marked,
        ),
    }
    return filled(
        _PART,
        {
            **tables,
            "place": place,
            "headline": said.headline,
            "sentences": said.sentences,
            "protein": _protein(impact),
            "tiles": leading_numbers(impact),
            "flags": impact.flags,
            "agreement": agreement(impact.evidence),
            "external": external_note(impact),
            "figures": list(_pictures(impact, place)),
        },
    )


def protein_name(protein: Protein) -> str:
    """What databases call it, with gene and organism, else its own name."""
    known = protein.annotation
    return (protein.name if known is None else known.title) or "unnamed protein"


def _protein(impact: Impact) -> str:
    protein, structure = impact.protein, impact.protein.structure
    words = [protein_name(protein), f"{len(protein)} residues"]
    if protein.accession:
        words.append(f"UniProt {protein.accession}")
    if structure is not None:
        words.append(f"structure {structure.name}, chain {structure.chain}")
    words.append(f"numbered by {protein.counting.words}")
    return f"{'; '.join(words)}. {hgvs_words(impact)}"


def _pictures(impact: Impact, place: Placed) -> Iterator[Picture]:
    """Track, matrices and 3D view, the last two where there is a structure."""
    stem, sites = impact.written, "Dashed lines: the variant."
    track = figure_html(residue_track(impact), f"glass-{stem}-sequence", place.brings_plotly)
    yield Picture(track, f"{stem} along the sequence. {sites}")
    if impact.protein.structure is None:
        return
    what = "Distances between C-alphas" + (", of the first seed" if impact.measured else "")
    yield Picture(figure_html(matrices(impact), f"glass-{stem}-distances"), f"{what}. {sites}")
    if place.in_3d:
        colouring = colourings(impact)[0]
        shown = "Superposition of wild type and mutant" if impact.measured else "Structure"
        yield Picture(
            viewer_html(impact, ViewOptions(colouring.name), place.viewer),
            f"{shown}. Colours: {colouring.words}",
            view=True,
        )
