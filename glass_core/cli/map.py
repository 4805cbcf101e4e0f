"""The command that draws proteins on the map of protein space."""

from __future__ import annotations

from pathlib import Path

import click

from glass_core.cli.options import FILE, device_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.writing import writing
from glass_core.errors import InputError


@click.command("map")
@click.argument("given", metavar="INPUT")
@click.option(
    "--out", type=FILE, required=True, help="File to write: .html, or .csv with the places."
)
@click.option("--layout", type=click.Choice(("tsne", "pca")), default="tsne", show_default=True)
@click.option(
    "--colour",
    type=click.Choice(("class", "architecture", "length", "nearness")),
    default="class",
    show_default=True,
    help="Of the background; nearness is that to the first of INPUT.",
)
@click.option(
    "--variants", default="", help="Of the first protein, such as 'R175H, R273H': placed, too."
)
@device_option
def map_command(
    given: str, out: Path, layout: str, colour: str, variants: str, device: str | None
) -> None:
    """Draw INPUT among chains of known class.

    INPUT is sequences as text, a FASTA file, a structure, or a folder of structures. The first
    one is what distances are told to.
    """
    from glass_core.models.space.registry import load_space
    from glass_core.progress import Watch
    from glass_core.report.space.page import map_page
    from glass_core.search.entry import LeftOut
    from glass_core.space.background import open_background, places_table
    from glass_core.space.placing import mutants_of, place, read_given

    if out.suffix not in (".html", ".csv"):
        raise InputError(f"{out.name}: give a name that ends in .html or .csv.")
    left_out, settings = LeftOut(), settings_on(device)
    entries = read_given(given, left_out)
    entries = [entries[0], *mutants_of(entries[0], variants, left_out), *entries[1:]]
    with console_bar("placing") as bar:
        space = load_space(settings)
        background = open_background(settings, space.info)
        points = place(entries, space, left_out, Watch(bar.stage))
    for line in left_out.lines():
        click.echo(line, err=True)
    with writing(out):
        if out.suffix == ".html":
            page = map_page(background, points, space.info, layout, colour)  # type: ignore[arg-type]
            out.write_text(page, encoding="utf-8")
        else:
            places_table(background, points).to_csv(out, index=False)
    click.echo(f"{len(points)} place(s) on the map in {out}")
