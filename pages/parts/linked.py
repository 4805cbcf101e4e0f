"""Views that live in the page while it reruns, and share the residue that is chosen.

A figure or a 3D view is a component that keeps its zoom and camera; they tell each other
in the browser, at once, which residue was clicked or pointed at, and then the page.
The scripts are in ``assets/linked``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.offline import get_plotlyjs

from glass_core.report import style
from glass_core.report.scene import Scene
from glass_core.settings import PROJECT
from pages.parts.common import viewer_script

_AGAIN = """
export default function () {{
  if (window[{name}]) return;
  const script = document.createElement('script');
  script.textContent = {text};
  document.head.append(script);
  window.glassBus ??= Object.assign(new EventTarget(), {{selected: null, hovered: null}});
  window.glassBus.dispatchEvent(new CustomEvent('library ' + {name}));
}}
"""


_PARTS = {"figure": ("panning.js",)}
"""Scripts that a component is made of, beside its own."""


@cache
def asset(name: str) -> str:
    return (PROJECT / "assets" / "linked" / name).read_text(encoding="utf-8")


@cache
def _component(name: str) -> Any:
    """The component of ``assets/linked/{name}``, registered once."""
    return st.components.v2.component(
        f"glass_{name}",
        html=asset(f"{name}.html"),
        css=asset(f"{name}.css"),
        js="".join(asset(part) for part in ("bus.js", *_PARTS.get(name, ()), f"{name}.js")),
        isolate_styles=False,
    )


@cache
def _library(name: str) -> Any:
    text = get_plotlyjs() if name == "Plotly" else viewer_script()
    if text is None:
        return None
    script = _AGAIN.format(name=json.dumps(name), text=json.dumps(text))
    return st.components.v2.component(f"glass_library_{name.strip('$')}", js=script)


def library(name: str) -> None:
    """Bring one of the scripts ``Plotly`` and ``$3Dmol`` to the browser; once, outside fragments.

    Streamlit sends what did not change only once to each browser.
    """
    mount = _library(name)
    if mount is not None:
        mount(key=f"library {name}")


def structure_view(scene: Scene, key: str, chosen: Callable[[], None]) -> None:
    """The 3D view; `chosen` is called when a residue was clicked, see `clicked`."""
    _component("structure")(key=key, data=scene.data(), on_selected_change=chosen)


def linked_figure(
    figure: go.Figure,
    key: str,
    chosen: Callable[[], None],
    *,
    title: str,
    length: int,
    view: str,
    file: str,
    square: bool = False,
) -> None:
    """A figure whose x values are positions.

    Parameters
    ----------
    title : str
        Told to screen readers.
    length : int
        Of the sequence.
    view : str
        The zoom stays from one figure to the next where this is the same.
    file : str
        Name of the picture that can be saved.
    square : bool
        Whether the y values are positions, too.
    """
    data = {
        "figure": figure.to_json(),
        "title": title,
        "length": length,
        "view": view,
        "file": file,
        "square": square,
        "colours": {"selected": style.SELECTED, "hovered": style.FLOOR},
    }
    _component("figure")(key=key, data=data, on_selected_change=chosen)


def map_view(
    figure: go.Figure, key: str, chosen: Callable[[], None], *, title: str, view: str, file: str
) -> None:
    """A figure whose points are chosen by a click, a lasso or a box, see `picked`.

    Parameters are those of `linked_figure`.
    """
    data = {"figure": figure.to_json(), "title": title, "view": view, "file": file, "map": True}
    _component("figure")(key=key, data=data, on_picked_change=chosen)


def picked(key: str) -> list[int]:
    """The rows that were chosen in the map `key`, to be asked in its callback."""
    told = st.session_state.get(key)
    rows = None if told is None else told.get("picked")
    return [int(row) for row in rows or ()]


@cache
def _chosen() -> Any:
    return st.components.v2.component("glass_chosen", js=asset("bus.js") + asset("chosen.js"))


def tell_views(position: int | None, turn: int) -> None:
    """Mark a position in every view, or none; once for each `turn`.

    What is clicked in a view is marked there at once and needs no telling.
    """
    _chosen()(key="chosen", data={"position": position, "turn": turn})


def clicked(key: str) -> int | None:
    """The position that was clicked in the view `key`, to be asked in its callback."""
    told = st.session_state.get(key)
    position = None if told is None else told.get("selected")
    return int(position) if isinstance(position, int | float) else None
