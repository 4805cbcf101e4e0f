"""One self-contained HTML report of a screen."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glass_core.impact.conditions import conditions
from glass_core.report.external import external_words
from glass_core.report.page import figure_html, filled, has_values, report_page, table_html
from glass_core.report.references import REFERENCES
from glass_core.report.screen.agreement import agreement_frame
from glass_core.report.screen.figures import distribution, heat_map
from glass_core.report.screen.tables import ranking_values, screen_frame, shown_columns
from glass_core.screen.columns import RANKINGS, SCREEN_COLUMNS
from glass_core.screen.request import ScreenRequest
from glass_core.screen.rows import ScreenRow

TOP = 100
MOST_REJECTED = 1000
_BODY = """<p class="brand">GLASS: what mutations do to a protein</p><h1>{{ title }}</h1>
<p class="lead">{{ counts }}. Model: {{ model }}. Ranked by: {{ ranking }}.</p>
<div class="flag">Scores are predicted; they rank variants and are no diagnosis.</div>
{% for part in parts %}<h2>{{ part.name }}</h2>
<figure class="drawn">{{ part.map|safe }}
<figcaption>Every substitution by the ranking; grey dots: the wild type.</figcaption></figure>
<figure class="drawn">{{ part.distribution|safe }}
<figcaption>How the ranking is spread.</figcaption></figure>{{ part.agreement|safe }}
{% endfor %}
<section class="broad"><h2>The {{ top }} variants on top</h2>{{ table|safe }}
{% if external %}<p class="of">{{ external }}</p>{% endif %}</section>
{% if rejected %}<h2>No result</h2>{{ rejected|safe }}{% endif %}
<h2>How to cite</h2><p>{{ glass }}</p>"""


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
        parts.append(
            {
                "name": protein.name or "protein",
                "map": figure_html(
                    heat_map(own, protein, request.ranking), "glass-map", next(with_script, False)
                ),
                "distribution": figure_html(
                    distribution(own, request.ranking), "glass-distribution"
                ),
                "agreement": table_html(agreement_frame(own), "Against the input's own values."),
            }
        )
    title = name or request.source
    alone = {"status"} | ({"protein"} if len(request.proteins) == 1 else set())
    shown = [n for n in shown_columns(top) if n not in alone and has_values(top[n])]
    values = {
        "title": title,
        "counts": f"{len(done):,} of {len(rows):,} variants done, {len(bad):,} gave no result",
        "model": done[0].model if done else request.model,
        "ranking": RANKINGS[request.ranking].title,
        "parts": parts,
        "glass": REFERENCES["glass"],
        "external": external_words(s for p in request.proteins for s in p.external),
        "top": len(top),
        "rejected": table_html(_rejected(bad), "Rows without a result."),
        "table": table_html(
            top[shown].rename(columns={n: SCREEN_COLUMNS[n].title or n for n in shown}),
            dense=True,
            digits={c.title or n: c.digits for n, c in SCREEN_COLUMNS.items()},
        ),
    }
    columns = [(n, _meaning(n)) for n in SCREEN_COLUMNS]
    return report_page(title, filled(_BODY, values), columns, _provenance(request))


def _meaning(name: str) -> str:
    """What a column is, with its unit, its range and what tables call it."""
    column = SCREEN_COLUMNS[name]
    return "; ".join(filter(None, (column.title, column.meaning, column.unit, column.span)))


def _rejected(rows: Sequence[ScreenRow]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"row": r.row, "variant": r.variant, "reason": r.reason} for r in rows[:MOST_REJECTED]]
    )


def _provenance(request: ScreenRequest) -> list[tuple[str, str]]:
    made = request.made
    return [] if made is None else [("date", made.date), *conditions(None, made).items()]
