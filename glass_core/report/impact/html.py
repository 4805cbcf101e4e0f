"""One self-contained HTML report, of one variant or of several, that opens without a network."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glass_core.errors import InputError
from glass_core.impact.evidence import agreement
from glass_core.impact.record import Impact
from glass_core.impact.rows import RESIDUE_COLUMNS
from glass_core.report.colouring import colourings
from glass_core.report.impact.evidence import check_table, evidence_table, external_note
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.methods import cited, how_to_cite
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.provenance import labels, provenance_rows
from glass_core.report.impact.residues import (
    DIGITS,
    changed_rows,
    known_residues,
    measured_residues,
)
from glass_core.report.impact.tables import subdomain_table
from glass_core.report.impact.track import residue_track
from glass_core.report.impact.verdict import hgvs_words, verdict
from glass_core.report.page import figure_html, filled, report_page, table_html
from glass_core.report.viewer import ViewOptions, viewer_html

_PAGE = """<p class="brand">GLASS {{ version }}: what a mutation does to a protein</p>
{% if summary %}<h1>{{ title }}</h1>{{ summary|safe }}<div class="several">{% endif %}
{% for part in parts %}{{ part|safe }}{% endfor %}
{% if summary %}</div>{% endif %}
<h2>Methods</h2><dl class="terms">
{% for method, marks in cited.methods %}
<dt>{{ method.title }}</dt><dd>{{ method.text }} {{ marks }}</dd>{% endfor %}</dl>
<h3>References</h3><ol>{% for one in cited.references %}<li>{{ one|urlize }}</li>{% endfor %}</ol>
<h3>How to cite</h3>
<p>The method is GLASS, reference {{ glass }}; whatever you rest on besides has its reference
above, and each check its own. For a methods section:</p>
{% for sentence in sentences %}<blockquote>{{ sentence }}</blockquote>{% endfor %}"""
_PART = """<section class="variant" id="{{ anchor }}">
<h{{ level }}>{{ headline }}</h{{ level }}>
<p class="of">{{ protein }}</p>
<dl class="tiles">{% for one in tiles %}
<div><dt>{{ one.name }}</dt><dd>{{ one.value }}</dd>{% if one.note %}<dd>{{ one.note }}</dd>
{% endif %}</div>{% endfor %}</dl>
<p class="lead">{{ sentences[0] }}</p>
{% for flag in flags %}<div class="flag">{{ flag }}</div>{% endfor %}
<h{{ level + 1 }}>Reasons</h{{ level + 1 }}>
{{ evidence|safe }}{% if agreement %}<p>{{ agreement }}</p>{% endif %}
{% if external %}<p class="of">{{ external }}</p>{% endif %}
{% for sentence in sentences[1:] %}<p>{{ sentence }}</p>{% endfor %}
{{ checks|safe }}
<h{{ level + 1 }}>Figures</h{{ level + 1 }}>
{% for figure in figures %}<figure class="drawn{{ ' view3d' if figure.view }}">
{{ figure.html|safe }}
{% if figure.view %}<img class="picture" alt="The structure as it was last turned">
<p class="unseen">The 3D view is in the HTML file; this browser could not draw it.</p>{% endif %}
<figcaption>{{ figure.caption }}</figcaption></figure>{% endfor %}
<h{{ level + 1 }}>Tables</h{{ level + 1 }}>
{{ parts|safe }}{{ residues|safe }}</section>"""
_PART_DIGITS = {
    "mean strain": 4,
    "mean change (predicted, Å)": 2,
    "mean deficit (measured)": 4,
    "mean deficit (predicted)": 4,
}
_SUMMARY = "The variants. What each number is stands under Methods."


def impact_report(impacts: Sequence[Impact], script: str | None) -> str:
    """The report of one variant, or of several: what is said of each first, then its part.

    Parameters
    ----------
    impacts : sequence of Impact
        In the order in which they are to be shown.
    script : str or None
        Text of 3Dmol.js; None: the 3D view needs a network.

    Raises
    ------
    InputError
        There is no impact.
    """
    if not impacts:
        raise InputError("report: there is no result to report; give at least one.")
    several = len(impacts) > 1
    first, sources = impacts[0], cited(impacts)
    title = _title(impacts) if several else first.written
    anchors = [f"variant-{number}" for number in range(1, len(impacts) + 1)]
    seen = [impact for impact in impacts if impact.protein.structure is not None]
    parts = [
        _part(
            impact,
            anchor,
            2 if several else 1,
            plotly=impact is first,
            viewer=script if seen and impact is seen[0] else None,
        )
        for impact, anchor in zip(impacts, anchors, strict=True)
    ]
    body = filled(
        _PAGE,
        {
            "version": first.provenance.versions.get("glass", ""),
            "title": title,
            "summary": table_html(summary(impacts), _SUMMARY, links=anchors) if several else "",
            "parts": parts,
            "cited": sources,
            "glass": 1 + [r.startswith("GLASS.") for r in sources.references].index(True),
            "sentences": list(dict.fromkeys(map(how_to_cite, impacts))),
        },
    )
    return report_page(title, body, _columns(impacts), provenance_rows(impacts))


def summary(impacts: Sequence[Impact]) -> pd.DataFrame:
    """One row per impact: what is said of it, and its leading numbers as they are shown."""
    rows = []
    for impact, label in zip(impacts, labels(impacts), strict=True):
        said = verdict(impact).headline.removeprefix(f"{impact.written}: ")
        numbers = {one.name: one.value for one in leading_numbers(impact)}
        rows.append({"variant": label, "answer": said, **numbers})
    table = pd.DataFrame(rows)
    proteins = [impact.protein.name for impact in impacts]
    if len(set(proteins)) > 1:
        table.insert(1, "protein", proteins)
    return table


def _columns(impacts: Sequence[Impact]) -> list[tuple[str, str]]:
    """Those of the residue tables that are shown, with what they mean."""
    shown = {
        name
        for impact in impacts
        for table in (known_residues(impact), measured_residues(impact))
        for name in table
    }
    return [(name, meaning) for name, meaning in RESIDUE_COLUMNS.items() if name in shown]


def _title(impacts: Sequence[Impact]) -> str:
    names = list(dict.fromkeys(impact.protein.name or "unnamed protein" for impact in impacts))
    return f"{len(impacts)} variants of {', '.join(names)}"


def _part(impact: Impact, anchor: str, level: int, *, plotly: bool, viewer: str | None) -> str:
    """What is said and shown of one variant; one part of a page brings each script for all."""
    said = verdict(impact)
    evidence = evidence_table(impact)
    parts = subdomain_table(impact).dropna(axis=1, how="all")
    whole = {"percentile": 0}
    return filled(
        _PART,
        {
            "anchor": anchor,
            "level": level,
            "headline": said.headline,
            "sentences": said.sentences,
            "protein": _protein(impact),
            "tiles": leading_numbers(impact),
            "flags": impact.flags,
            "evidence": table_html(evidence, "The evidence.", digits=whole)
            if len(evidence)
            else "",
            "agreement": agreement(impact.evidence),
            "external": external_note(impact),
            "checks": table_html(check_table(impact.checks), "What may explain it.")
            if impact.checks
            else "",
            "figures": _figures(impact, plotly, viewer),
            "parts": table_html(
                parts, "Parts of the fold, the most affected first.", digits=_PART_DIGITS
            )
            if len(parts)
            else "",
            "residues": _residues(impact),
        },
    )


def _protein(impact: Impact) -> str:
    protein, structure = impact.protein, impact.protein.structure
    words = [protein.name or "unnamed protein", f"{len(protein)} residues"]
    if protein.accession:
        words.append(f"UniProt {protein.accession}")
    if structure is not None:
        words.append(f"structure {structure.name}, chain {structure.chain}")
    words.append(f"numbered by {protein.counting.words}")
    return f"{'; '.join(words)}. {hgvs_words(impact)}"


def _figures(impact: Impact, plotly: bool, viewer: str | None) -> list[dict[str, object]]:
    """Pictures with their captions; `view` of the one in 3D."""
    stem = impact.written
    track = figure_html(residue_track(impact), f"glass-{stem}-sequence", script=plotly)
    sites = "Dashed lines: the variant."
    figures: list[dict[str, object]] = [
        {"html": track, "caption": f"{stem} along the sequence. {sites}", "view": False}
    ]
    if impact.protein.structure is None:
        return figures
    colouring = colourings(impact)[0]
    what = "Distances between C-alphas" + (", of the first seed" if impact.measured else "")
    drawn = figure_html(matrices(impact), f"glass-{stem}-distances")
    shown = "Superposition of wild type and mutant" if impact.measured else "Structure"
    view = viewer_html(impact, ViewOptions(colouring.name), viewer)
    return [
        *figures,
        {"html": drawn, "caption": f"{what}. {sites}", "view": False},
        {"html": view, "caption": f"{shown}. {colouring.words}", "view": True},
    ]


def _residues(impact: Impact) -> str:
    """The whole residue tables, the variant's rows marked."""
    known, measured, sites = known_residues(impact), measured_residues(impact), changed_rows(impact)
    made = table_html(
        known,
        "The residues: what is known and predicted. Marked: the variant.",
        digits=DIGITS,
        dense=True,
        marked=sites,
    )
    if len(measured):
        made += table_html(
            measured, "The residues: what was measured.", digits=DIGITS, dense=True, marked=sites
        )
    return made
