"""One self-contained HTML report of a screen."""

from __future__ import annotations

from collections.abc import Sequence

from glass_core.report.external import external_words
from glass_core.report.page import figure_html, report_page
from glass_core.report.screen.figures import distribution, heat_map
from glass_core.report.screen.tables import (
    agreement_frame,
    ranking_values,
    screen_frame,
    shown_columns,
)
from glass_core.screen.columns import RANKINGS, SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow

TOP = 100
_BODY = """<h1>{{ title }}</h1>
<p>{{ counts }}. Model: {{ model }}. Ranked by: {{ ranking }}.</p>
<div class="flag">Scores are predicted from sequence; they rank variants and are no diagnosis.</div>
{% for part in parts %}<h2>{{ part.name }}</h2>{{ part.map|safe }}{{ part.distribution|safe }}
{% if part.agreement %}<h3>Against the input's own values</h3>{{ part.agreement|safe }}{% endif %}
{% endfor %}
<h2>The {{ top }} variants on top</h2><div class="scroll">{{ table|safe }}</div>
<p>{{ external }}</p>
{% if rejected %}<h2>No result</h2><div class="scroll"><table>
<tr><th>row</th><th>variant</th><th>reason</th></tr>
{% for row in rejected %}<tr><td>{{ row.row }}</td><td>{{ row.variant }}</td>
<td>{{ row.reason }}</td></tr>{% endfor %}</table></div>{% endif %}"""


def screen_report(request: ScreenRequest, rows: Sequence[ScreenRow], name: str) -> str:
    """The report of a screen; opens without a network."""
    frame = screen_frame(rows)
    done = [r for r in rows if r.status == "done"]
    bad = [r for r in rows if r.status in ("rejected", "failed")]
    order = ranking_values(frame, request.ranking).sort_values(ascending=False).index
    top = frame.loc[order].query("status == 'done'").head(TOP)
    with_script = iter([True])
    parts = []
    for protein in request.proteins:
        own = frame[frame["protein"] == protein.short_name]
        if own.empty:
            continue
        agreed = agreement_frame(own)
        parts.append(
            {
                "name": protein.name or "protein",
                "map": figure_html(
                    heat_map(own, protein, request.ranking), next(with_script, False)
                ),
                "distribution": figure_html(distribution(own, request.ranking)),
                "agreement": ""
                if agreed.empty
                else agreed.to_html(index=False, float_format="%.3f"),
            }
        )
    title = name or request.source
    shown = shown_columns(top)
    values = {
        "title": title,
        "counts": f"{len(done):,} of {len(rows):,} variants done, {len(bad):,} gave no result",
        "model": done[0].model if done else request.model,
        "ranking": RANKINGS[request.ranking].title,
        "parts": parts,
        "external": external_words(s for p in request.proteins for s in p.external),
        "top": len(top),
        "rejected": bad[:1000],
        "table": top[shown].to_html(index=False, na_rep="", float_format="%.3f"),
    }
    columns = [(n, f"{c.meaning} {c.unit} {c.span}") for n, c in SCREEN_COLUMNS.items()]
    provenance = [(n, str(v)) for n, v in dict(request.provenance or {}).items()]
    return report_page(title, _BODY, values, columns, provenance)
