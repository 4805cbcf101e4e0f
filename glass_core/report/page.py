"""The frame of every HTML report, its tables and its figures; opens without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from jinja2 import Environment, StrictUndefined

from glass_core.report.page_style import SCRIPT, STYLE

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>GLASS: {{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{{ style|safe }}</style></head><body><main>
{{ body|safe }}
<h2>Columns of the tables</h2>
<p>In the exported tables a name has '_' for each space.</p>
<dl class="columns">{% for name, meaning in columns %}
<div><dt>{{ name }}</dt><dd>{{ meaning }}</dd></div>{% endfor %}</dl>
<h2>Provenance</h2><table class="facts">{% for name, value in provenance %}
<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
</main><script>{{ script|safe }}</script></body></html>"""
_TABLE = """<figure class="tabled{{ ' dense' if dense }}">
{%- if caption %}<figcaption>{{ caption }}</figcaption>{% endif %}
<div class="wide"><table><thead><tr>
{%- for name, number in heads %}<th{% if number %} class="n"{% endif %}>{{ name }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for cells, site, link in rows %}
<tr{% if site %} class="site"{% endif %}>
{%- for text, number in cells %}<td{% if number %} class="n"{% endif %}>
{%- if link and loop.first %}<a href="#{{ link }}">{{ text }}</a>{% else %}{{ text }}{% endif -%}
</td>{% endfor %}</tr>
{%- endfor %}</tbody></table></div></figure>"""
_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined)
_DIGITS = 3


def figure_html(figure: go.Figure, name: str = "glass", script: bool = False) -> str:
    """A figure inside a report, without a button that could send its data anywhere.

    Parameters
    ----------
    name : str
        Of the file that its camera button saves: an SVG, for publications.
    script : bool
        Bring Plotly's script along, which the first figure of a report must.
    """
    drawn = go.Figure(figure)
    drawn.update_layout(template="plotly_white")
    text: str = drawn.to_html(
        full_html=False,
        include_plotlyjs=script,
        config={
            "showSendToCloud": False,
            "plotlyServerURL": "",
            "displaylogo": False,
            "responsive": True,
            "toImageButtonOptions": {"format": "svg", "filename": name},
        },
    )
    return f'<div class="plot">{text}</div>'


def table_html(
    frame: pd.DataFrame,
    caption: str = "",
    *,
    digits: Mapping[str, int] | None = None,
    dense: bool = False,
    marked: Iterable[int] = (),
    links: Sequence[str] = (),
) -> str:
    """A whole table with its caption; '' of one without rows.

    All text is escaped, and a missing value is empty.

    Parameters
    ----------
    digits : mapping, optional
        Column -> digits behind the point; 3 where it does not say. Whole numbers have none.
    dense : bool
        Of many columns or rows: set in small type.
    marked : iterable of int
        Rows, from 0, to be seen first: those of the variant.
    links : sequence of str
        What the first cell of each row leads to, an id on the page.
    """
    if frame.empty:
        return ""
    known, sites, kinds = digits or {}, set(marked), pd.api.types
    numeric = [kinds.is_numeric_dtype(one) and not kinds.is_bool_dtype(one) for one in frame.dtypes]
    heads = list(zip((str(name).replace("_", " ") for name in frame), numeric, strict=True))
    columns = [
        [cell_text(value, known.get(str(name), _DIGITS)) for value in frame[name]] for name in frame
    ]
    rows = [
        (list(zip(cells, numeric, strict=True)), row in sites, links[row] if links else "")
        for row, cells in enumerate(zip(*columns, strict=True))
    ]
    template = _ENVIRONMENT.from_string(_TABLE)
    return template.render(caption=caption, heads=heads, rows=rows, dense=dense)


def cell_text(value: object, digits: int = _DIGITS) -> str:
    """A value as a reader wants it: yes and no, sensible digits, '' for no value."""
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return str(value)


def has_values(column: pd.Series) -> bool:
    """Whether a reader sees anything in a column; a dash is nothing."""
    return any(cell_text(value) not in ("", "-") for value in column)


def filled(template: str, values: Mapping[str, object]) -> str:
    """A Jinja template with its values, which are escaped unless it says ``|safe``."""
    return _ENVIRONMENT.from_string(template).render(**values)


def report_page(
    title: str, body: str, columns: Iterable[tuple[str, str]], provenance: Iterable[tuple[str, str]]
) -> str:
    """A whole page.

    Parameters
    ----------
    body : str
        HTML of what lies between the head and the columns; see `filled`.
    columns, provenance : iterable of (name, text)
    """
    return filled(
        _FRAME,
        {
            "title": title,
            "style": STYLE,
            "script": SCRIPT,
            "body": body,
            "columns": [(name.replace("_", " "), meaning) for name, meaning in columns],
            "provenance": list(provenance),
        },
    )
