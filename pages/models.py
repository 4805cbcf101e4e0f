"""The Models page: what is installed, what is missing and how to get it."""

from __future__ import annotations

import streamlit as st

from glass_core.report.models import describe_models, installation
from glass_core.settings import Settings
from pages.parts.common import through_the_front_door


def main() -> None:
    st.title("Models", anchor=False)
    settings = Settings.from_environment()
    for described in describe_models(settings):
        with st.container(border=True):
            left, right = st.columns([3, 1], vertical_alignment="center")
            left.markdown(f"**{described.name}** {described.version}")
            if described.unavailable_reason is None:
                right.badge("ready", icon=":material/check:", color="green")
            else:
                right.badge("not usable", icon=":material/close:", color="orange")
                st.markdown(described.unavailable_reason)
            st.caption(
                f"Embedder {described.embedder} · {described.megabytes:.1f} MB on disk · "
                f"licence {described.licence}"
            )
            st.caption(" · ".join(described.heads))
            st.markdown("\n".join(f"- {limit}" for limit in described.limits))
            if described.found:
                st.markdown("What it can and cannot tell you, as found on held-out proteins:")
                st.markdown("\n".join(f"- {sentence}" for sentence in described.found))
    st.markdown("#### ProtT5-XL-UniRef50")
    here = installation(settings)
    st.markdown(here.prott5)
    st.code(here.command, language="bash")
    st.markdown("#### Here")
    st.markdown(
        f"- Computing on: {here.device}\n"
        f"- Models of your own: `{settings.models}` (a folder with a card, or a GLASS checkpoint "
        f"file)\n- Embeddings kept by training: `{here.cache}`"
    )


through_the_front_door("pages/models.py")
main()
