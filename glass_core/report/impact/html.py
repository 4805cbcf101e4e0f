"""One self-contained HTML report, of one variant or of several, that opens without a network."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glass_core.errors import InputError
from glass_core.impact.record import Impact
from glass_core.impact.rows import RESIDUE_COLUMNS
from glass_core.report.impact.methods import cited, how_to_cite
from glass_core.report.impact.numbers import leading_numbers
from glass_core.report.impact.part import Placed, protein_name, variant_part
from glass_core.report.impact.provenance import labels, provenance_rows
from glass_core.report.impact.residues import known_residues, measured_residues
from glass_core.report.impact.verdict import verdict
from glass_core.report.page import filled, report_page, table_html

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
MOST_VIEWS = 12
"""3D views on one page: browsers draw some sixteen at once, and no more."""
_SUMMARY = "The variants. What each number is stands under Methods."


def impact_report(impacts: Sequence[Impact], script: str | None) -> str:
    """The report of one variant, or of several: what is said of each first, then its part.

    Parameters
    ----------
    impacts : sequence of Impact
        In the order in which they are to be shown; the first `MOST_VIEWS` in 3D, too.
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
    places = _places(impacts, script)
    parts = [variant_part(*each) for each in zip(impacts, places, strict=True)]
    links = [place.anchor for place in places]
    body = filled(
        _PAGE,
        {
            "version": first.provenance.versions.get("glass", ""),
            "title": title,
            "summary": table_html(summary(impacts), _SUMMARY, links=links) if several else "",
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
    proteins = [protein_name(impact.protein) for impact in impacts]
    if len(set(proteins)) > 1:
        table.insert(1, "protein", proteins)
    return table


def _places(impacts: Sequence[Impact], script: str | None) -> list[Placed]:
    """The first part brings Plotly's script, the first with a structure that of the view."""
    shown = [n for n, impact in enumerate(impacts) if impact.protein.structure is not None]
    return [
        Placed(
            f"variant-{number + 1}",
            2 if len(impacts) > 1 else 1,
            brings_plotly=number == 0,
            viewer=script if number in shown[:1] else None,
            in_3d=number in shown[:MOST_VIEWS],
        )
        for number in range(len(impacts))
    ]


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
    names = list(dict.fromkeys(protein_name(impact.protein) for impact in impacts))
    return f"{len(impacts)} variants of {', '.join(names)}"
