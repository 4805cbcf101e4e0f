"""One self-contained HTML report that opens without a network."""

from __future__ import annotations

from dataclasses import asdict

from glass_core.impact.evidence import agreement
from glass_core.impact.record import Impact
from glass_core.impact.rows import RESIDUE_COLUMNS
from glass_core.report.colouring import colourings
from glass_core.report.impact.evidence import check_table, evidence_table, external_note
from glass_core.report.impact.matrices import matrices
from glass_core.report.impact.tables import residue_table, subdomain_table
from glass_core.report.impact.track import residue_track
from glass_core.report.impact.verdict import hgvs_words, verdict
from glass_core.report.page import figure_html, report_page
from glass_core.report.viewer import ViewOptions, viewer_html

_BODY = """<h1>{{ headline }}</h1>
<p>{{ protein }}</p>
<p>{{ hgvs }}</p>
<p>{{ sentences[0] }}</p>
{% if evidence %}<h2>The evidence</h2>{{ evidence|safe }}<p>{{ agreement }}</p>
<p>{{ external }}</p>{% endif %}
{% if checks %}<h2>Why it may be so</h2>{{ checks|safe }}{% endif %}
{% for sentence in sentences[1:] %}<p>{{ sentence }}</p>{% endfor %}
{% for flag in flags %}<div class="flag">{{ flag }}</div>{% endfor %}
<h2>Along the sequence</h2>{{ track|safe }}
{% if has_structure %}<h2>Distances between C-alphas</h2>{{ matrices|safe }}
<h2>Superposition</h2>
<p>{{ legend }}</p>{{ viewer|safe }}{% endif %}
<h2>Parts of the fold</h2>{{ parts|safe }}
<p>p: share of placements of equally long stretches along the chain with at least this mean; not
corrected for the number of rows.</p>
<h2>Residues</h2><div class="scroll">{{ residues|safe }}</div>"""


def report_html(impact: Impact, script: str | None) -> str:
    """The report; `script` is the text of 3Dmol.js (None: the 3D view needs a network)."""
    said = verdict(impact)
    has_structure = impact.protein.structure is not None
    track = figure_html(residue_track(impact), script=True)
    parts, evidence = subdomain_table(impact), evidence_table(impact)
    colouring = colourings(impact)[0]
    values = {
        "headline": said.headline,
        "sentences": said.sentences,
        "evidence": evidence.to_html(index=False, na_rep="", float_format="%.0f")
        if len(evidence)
        else "",
        "agreement": agreement(impact.evidence),
        "external": external_note(impact),
        "checks": check_table(impact.checks).to_html(index=False) if impact.checks else "",
        "protein": f"{impact.protein.name or 'unnamed protein'}, {len(impact.protein)} residues, "
        f"numbered by {impact.protein.counting.words}",
        "hgvs": hgvs_words(impact),
        "flags": impact.flags,
        "track": track,
        "has_structure": has_structure,
        "legend": colouring.words,
        "matrices": figure_html(matrices(impact)) if has_structure else "",
        "viewer": viewer_html(impact, ViewOptions(colouring.name), script) if has_structure else "",
        "parts": parts.to_html(index=False, na_rep="", float_format="%.4f"),
        "residues": residue_table(impact).to_html(index=False, na_rep="", float_format="%.4f"),
    }
    return report_page(impact.written, _BODY, values, RESIDUE_COLUMNS.items(), _provenance(impact))


def _provenance(impact: Impact) -> list[tuple[str, str]]:
    rows = [("model", str(asdict(impact.prediction.model)))]
    for name, value in asdict(impact.provenance).items():
        if isinstance(value, dict):
            rows += [(f"{name}: {key}", str(inner)) for key, inner in value.items()]
        else:
            rows.append((name, str(value)))
    return rows
