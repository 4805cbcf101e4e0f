"""The dashboard's front door: one entry per page. Start with ``make run``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.warm_up import warm_up

# A picture of our own: browsers would ask another host for a symbol.
ICON = Path(__file__).parent / "assets" / "icon.png"

# Less room above the first line than Streamlit leaves; captions, comments and the text on buttons
# stand out from what is behind them by 4.5 at least, in the light and in the dark.
LOOKS = """<style>
.stMainBlockContainer {padding-top: 3.5rem; padding-bottom: 3rem}
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * {color: inherit}
[data-testid="stCaptionContainer"] {opacity: 0.85}
.token.comment {color: inherit !important; opacity: 0.85}
[data-testid^="stBaseButton-primary"]:not(:disabled) p {color: light-dark(#fff, #0e1117) !important}
[data-testid="stTopNav"] a:focus-visible, [data-testid="stSidebarNav"] a:focus-visible {
  outline: 2px solid currentColor; outline-offset: 2px}
</style>"""

st.set_page_config(page_title="GLASS", page_icon=str(ICON), layout="wide")
page = st.navigation(
    [
        st.Page("pages/impact.py", title="Impact", icon=":material/genetics:", default=True),
        st.Page("pages/screen.py", title="Screen", icon=":material/grid_on:"),
        st.Page("pages/search.py", title="Search", icon=":material/manage_search:"),
        st.Page("pages/map.py", title="Map", icon=":material/scatter_plot:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/history:"),
        st.Page("pages/evidence.py", title="Evidence", icon=":material/query_stats:"),
        st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
    ],
    position="top",
)
st.html(LOOKS)
st.session_state["front_door"] = True
wanted = st.session_state.pop("wanted", None)
if wanted is not None:
    st.switch_page(wanted.page, query_params=wanted.query)
page.run()
if st.runtime.exists():  # a process of ours that imports this is no server
    warm_up()
