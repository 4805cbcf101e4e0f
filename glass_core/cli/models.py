"""The command that lists the models."""

from __future__ import annotations

import json

import click

from glass_core.cli.options import json_option, settings_on


@click.command("models")
@json_option
def models_command(as_json: bool) -> None:
    """List the models: which can be used here, and how to get the others."""
    from glass_core.embedders.prott5 import weights_command
    from glass_core.models.registry import list_models

    settings = settings_on()
    entries = list_models(settings)
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "name": entry.name,
                        "embedder": entry.embedder,
                        "version": entry.card.version if entry.card else None,
                        "available": entry.unavailable_reason is None,
                        "reason": entry.unavailable_reason,
                        "card": entry.card.content if entry.card else None,
                    }
                    for entry in entries
                ]
            )
        )
        return
    for entry in entries:
        state = "ready" if entry.unavailable_reason is None else entry.unavailable_reason
        click.echo(f"{entry.name:<20} {entry.embedder:<10} {state}")
    click.echo(
        f"\nModels of your own go into {settings.models} (a folder with a card, or a GLASS "
        "checkpoint file)."
    )
    click.echo(f"ProtT5 weights, for those that need them: {weights_command()}")
