"""The command that draws proteins on the map of protein space."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glass_core.cli.options import FILE, PARTLY_FAILED, device_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.writing import writing
from glass_core.errors import InputError

if TYPE_CHECKING:
    from glass_core.space.projection import Layout


FORMATS = (".html", ".csv", ".png", ".svg", ".parquetbundle")


@click.command("map")
@click.argument("given", metavar="[INPUT]", default="")
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="File to write: the map as .html, .png or .svg, the places as .csv, or all of it as a "
    ".parquetbundle for ProtSpace.",
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
@click.option(
    "--chain",
    "chains",
    multiple=True,
    help="Of a structure, once or more; by default every one that has a sequence of its own.",
)
@click.option(
    "--vectors",
    type=FILE,
    multiple=True,
    help="Places that were computed before: an archive of 'embed --space', or a table with id and "
    "a number for each dimension. May be given more than once.",
)
@device_option
def map_command(
    given: str,
    out: Path,
    layout: Layout,
    colour: str,
    variants: str,
    chains: tuple[str, ...],
    vectors: tuple[Path, ...],
    device: str | None,
) -> None:
    """Draw INPUT among chains of known class.

    INPUT is sequences as text, a FASTA file, a structure, or a folder of structures. The first
    one is what distances are told to. It may be left out where --vectors are given.
    """
    from glass_core.models.space.registry import load_space
    from glass_core.progress import Watch
    from glass_core.report.space.written import write_map
    from glass_core.search.entry import LeftOut
    from glass_core.space.background import open_background
    from glass_core.space.mapped import placed, read_chains
    from glass_core.space.vectors import read_vectors

    if out.suffix not in FORMATS:
        raise InputError(f"{out.name}: give a name that ends in one of {', '.join(FORMATS)}.")
    left_out, settings = LeftOut(), settings_on(device)
    entries = [] if vectors and not given.strip() else read_chains(given, left_out, chains)
    with console_bar("placing") as bar:
        space = load_space(settings)
        background = open_background(settings, space.info)
        known = [point for path in vectors for point in read_vectors(path, space.info)]
        mapped = placed(entries, known, variants, space, left_out, Watch(bar.stage))
    for line in mapped.left_out:
        click.echo(line, err=True)
    with writing(out):
        write_map(out, background, mapped, space.info, layout, colour)
    click.echo(f"{len(mapped.points)} place(s) on the map in {out}")
    if left_out.failed:
        sys.exit(PARTLY_FAILED)
