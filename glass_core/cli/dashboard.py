"""The command that starts the dashboard."""

from __future__ import annotations

import runpy
import sys

import click

from glass_core.settings import PROJECT


@click.command("dashboard")
@click.option("--port", type=click.IntRange(1, 65535), help="8501 by default.")
@click.option("--address", help="Where to listen; localhost by default, 0.0.0.0 for all.")
@click.option("--browser/--no-browser", default=False, help="Open it in a browser; no by default.")
@click.argument("streamlit", nargs=-1, type=click.UNPROCESSED)
def dashboard_command(
    port: int | None, address: str | None, browser: bool, streamlit: tuple[str, ...]
) -> None:
    """Start the dashboard, until Ctrl-C.

    What follows -- is handed to Streamlit, such as: -- --server.baseUrlPath glass
    """
    # In this process, so that there is one to stop; by name, as if it were typed.
    sys.argv = ["streamlit", *streamlit_arguments(port, address, browser), *streamlit]
    runpy.run_module("streamlit", run_name="__main__")


def streamlit_arguments(port: int | None, address: str | None, browser: bool) -> list[str]:
    """What to give Streamlit; all else is in ``.streamlit/config.toml`` beside the app."""
    given = ["run", str(PROJECT / "app.py")]
    if port is not None:
        given += ["--server.port", str(port)]
    if address is not None:
        given += ["--server.address", address]
    return [*given, "--server.headless", "false" if browser else "true"]
