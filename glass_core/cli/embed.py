"""The command that writes embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glass_core.cli.options import FILE, device_option, settings_on
from glass_core.cli.progress import console_bar
from glass_core.cli.writing import writing
from glass_core.embedders.kinds import EMBEDDER_KINDS


@click.command("embed")
@click.argument("sequence")
@click.option("--embedder", type=click.Choice(EMBEDDER_KINDS), default="compact", show_default=True)
@device_option
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="NumPy archive (.npz) to write: one array of shape (L, D) per sequence.",
)
def embed_command(sequence: str, embedder: str, device: str | None, out: Path) -> None:
    """Embed SEQUENCE (text, or a FASTA file with any number of records)."""
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
