"""The command that makes one report of saved results."""

from __future__ import annotations

from pathlib import Path

import click

from glass_core.cli.options import FILE, settings_on
from glass_core.cli.writing import writing
from glass_core.errors import InputError


@click.command("report")
@click.argument("results", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, required=True, help="HTML file to write; it opens offline.")
def report_command(results: tuple[Path, ...], out: Path) -> None:
    """Write one report of RESULTS: a table of all variants first, then each.

    RESULTS are the JSON of analyses, or analyses exported as zip files. No model is needed.
    """
    from glass_core.impact.as_json import from_json
    from glass_core.inputs.upload import Upload
    from glass_core.report.impact.html import impact_report
    from glass_core.report.viewer import read_script
    from glass_core.runs.bundle import read_result

    impacts = []
    for path in results:
        bundle = read_result(Upload.from_path(path).content, path.name)
        if bundle.request is not None:
            raise InputError(f"{path.name}: is a screen, whose report lies in it; give analyses.")
        try:
            impacts.append(from_json(bundle.impact))
        except InputError as error:
            raise InputError(f"{path.name}: {error}") from error
    text = impact_report(impacts, read_script(settings_on().assets))
    with writing(out):
        out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}", err=True)
