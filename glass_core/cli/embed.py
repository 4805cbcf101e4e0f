"""The command that writes embeddings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import FILE, PARTLY_FAILED, device_option, json_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.writing import writing
from glass_core.embedders.kinds import EMBEDDER_KINDS
from glass_core.errors import InputError


@click.command("embed")
@click.argument("sequence")
@click.option("--embedder", type=click.Choice(EMBEDDER_KINDS), default="compact", show_default=True)
@click.option(
    "--space",
    is_flag=True,
    help="Places in the space of sequences and structures, in place of vectors of residues; then "
    "SEQUENCE may be a structure or a folder of structures.",
)
@click.option(
    "--space-name",
    default="compact",
    show_default=True,
    help="Which space, such as a checkpoint of CLSS.",
)
@device_option
@click.option(
    "--out",
    type=FILE,
    help="NumPy archive (.npz) to write: one array of shape (L, D) per sequence; of places, "
    "'names', 'kinds' and 'vectors'.",
)
@json_option
def embed_command(
    sequence: str,
    embedder: str,
    space: bool,
    space_name: str,
    device: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Embed SEQUENCE (text, or a FASTA file with any number of records).

    Goes to --out; places of --space also to --json.
    """
    if out is None and not (space and as_json):
        raise InputError("nowhere to write to: give --out FILE.npz, or --space with --json.")
    if space:
        _embed_in_space(sequence, space_name, device, out, as_json)
    elif out is not None:
        _embed_residues(sequence, embedder, device, out)


def _embed_residues(sequence: str, embedder: str, device: str | None, out: Path) -> None:
    import numpy as np

    from glass_core.inputs.upload import text_or_file
    from glass_core.models.registry import load_embedder
    from glass_core.protein.sequence import read_sequences

    records = read_sequences(text_or_file(sequence))
    with console_bar("embedding") as bar:
        source = load_embedder(settings_on(device), embedder)
        embeddings = source.embed(
            [r.residues for r in records], lambda done, of: bar.stage("embedding", done / of)
        )
    names = [record.name or f"sequence_{n}" for n, record in enumerate(records, start=1)]
    arrays: dict[str, Any] = {
        f"{n:04d}": embedding.residues.numpy() for n, embedding in enumerate(embeddings, start=1)
    }
    with writing(out):
        np.savez_compressed(out, names=np.array(names), embedder=np.array(source.name), **arrays)
    click.echo(f"{len(embeddings)} embedding(s) of width {source.dim} by {source.name} in {out}")


def _embed_in_space(
    given: str, name: str, device: str | None, out: Path | None, as_json: bool
) -> None:
    import json

    import numpy as np

    from glass_core.models.space.registry import load_space
    from glass_core.progress import Watch
    from glass_core.search.entry import LeftOut
    from glass_core.space.placing import place, read_given

    left_out = LeftOut()
    entries = read_given(given, left_out)
    with console_bar("placing") as bar:
        space = load_space(settings_on(device), name)
        points = place(entries, space, left_out, Watch(bar.stage))
    if not points:
        raise InputError(f"nothing to place. {' '.join(left_out.lines())}")
    for line in left_out.lines():
        click.echo(line, err=True)
    if out is not None:
        with writing(out):
            np.savez_compressed(
                out,
                names=np.array([one.id for one in points]),
                kinds=np.array([one.kind for one in points]),
                vectors=np.stack([one.vector for one in points]),
                space=np.array(f"{space.info.name} {space.info.version} {space.info.sha256}"),
            )
    if as_json:
        rows = [
            {
                "id": one.id,
                "kind": one.kind,
                "length": len(one.sequence),
                "space": space.info.name,
                "vector": [round(float(x), 6) for x in one.vector],
            }
            for one in points
        ]
        click.echo(json.dumps(rows, allow_nan=False))
    else:
        click.echo(f"{len(points)} place(s) of {space.info.dim} dimensions in {out}")
    if left_out.failed:
        sys.exit(PARTLY_FAILED)
