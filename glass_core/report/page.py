"""The frame of every HTML report: head, columns, provenance; opens without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import plotly.graph_objects as go
from jinja2 import Environment, StrictUndefined

_STYLE = """
body{font-family:system-ui,sans-serif;max-width:1150px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-size:.85rem}td,th{border:1px solid #ccc;padding:.2rem .5rem}
.scroll{max-height:26rem;overflow:auto}code{word-break:break-all}h2{margin-top:2rem}
.flag{background:#fff6e0;border-left:4px solid #E69F00;padding:.3rem .8rem;margin:.3rem 0}
"""
_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>GLASS: {{ title }}</title>
<style>{{ style|safe }}</style></head><body>
{{ body|safe }}
<details><summary>Columns</summary><dl>{% for name, meaning in columns %}
<dt><b>{{ name }}</b></dt><dd>{{ meaning }}</dd>{% endfor %}</dl></details>
<h2>Provenance</h2><table>{% for name, value in provenance %}
<tr><th>{{ name }}</th><td><code>{{ value }}</code></td></tr>{% endfor %}</table>
</body></html>"""


def figure_html(figure: go.Figure, script: bool = False) -> str:
    """A figure inside a report, without a button that could send its data anywhere.

    Parameters
    ----------
    script : bool
        Bring Plotly's script along, which the first figure of a report must.
    """
    text: str = figure.to_html(
        full_html=False,
        include_plotlyjs=script,
        config={"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False},
    )
    return text


def report_page(
    title: str,
    body: str,
    values: Mapping[str, object],
    columns: Iterable[tuple[str, str]],
    provenance: Iterable[tuple[str, str]],
) -> str:
    """A whole page.

    Parameters
    ----------
    body : str
        Jinja template of what lies between the head and the columns; values are escaped
        unless it says ``|safe``.
    values : mapping
        What it is filled with.
    columns, provenance : iterable of (name, text)
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_FRAME).render(
        title=title,
        style=_STYLE,
        body=environment.from_string(body).render(**values),
        columns=list(columns),
        provenance=list(provenance),
    )
