"""The dashboard's front door: one entry per page. Start with ``make run``."""

from __future__ import annotations

import streamlit as st

st.set_page_config(page_title="GLASS", page_icon=":material/genetics:", layout="wide")
st.navigation(
    [
        st.Page("pages/impact.py", title="Impact", icon=":material/genetics:", default=True),
        st.Page("pages/evidence.py", title="Evidence", icon=":material/query_stats:"),
        st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
    ],
    position="top",
).run()
