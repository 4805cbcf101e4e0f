"""The dashboard's front door: one entry per page. Start with ``make run``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# A picture of our own: browsers would ask another host for a symbol.
ICON = Path(__file__).parent / "assets" / "icon.png"

# Streamlit leaves a hand's breadth above the page's first line.
ROOM = "<style>.stMainBlockContainer {padding-top: 3.5rem; padding-bottom: 3rem}</style>"

st.set_page_config(page_title="GLASS", page_icon=str(ICON), layout="wide")
page = st.navigation(
    [
        st.Page("pages/impact.py", title="Impact", icon=":material/genetics:", default=True),
        st.Page("pages/screen.py", title="Screen", icon=":material/grid_on:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/history:"),
        st.Page("pages/evidence.py", title="Evidence", icon=":material/query_stats:"),
        st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
    ],
    position="top",
)
st.html(ROOM)
st.session_state["front_door"] = True
wanted = st.session_state.pop("wanted", None)
if wanted is not None:
    st.switch_page(wanted.page, query_params=wanted.query)
page.run()
