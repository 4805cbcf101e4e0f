"""The commands that list the models and fetch the weights that others published."""

from __future__ import annotations

import json

import click

from glass_core.cli.options import json_option, settings_on
from glass_core.embedders.published import PUBLISHED
from glass_core.errors import InputError, UnavailableError


@click.group("models", invoke_without_command=True)
@json_option
@click.pass_context
def models_command(context: click.Context, as_json: bool) -> None:
    """List the models: which can be used here, and how to get the others."""
    if context.invoked_subcommand is None:
        _list(as_json)


@models_command.command("get")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask before fetching.")
def get_command(name: str, yes: bool) -> None:
    """Fetch weights that others published: size and licence are told first."""
    from glass_core.embedders.fetching import fetch

    if name not in PUBLISHED:
        raise InputError(f"'{name}': is not known; use {', '.join(PUBLISHED)}.")
    published = PUBLISHED[name]
    click.echo(
        f"{published.title}: {published.size} from {published.source}, licence "
        f"{published.licence}.",
        err=True,
    )
    if not yes and not click.confirm("Fetch it?", err=True):
        raise InputError("nothing was fetched.")
    click.echo(str(fetch(published, settings_on())))


def _list(as_json: bool) -> None:
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
        f"\nModels of your own go into {settings.models} (a folder with a card, or the "
        "checkpoint of a GLASS head or of TM-Vec)."
    )
    click.echo("\nWeights that others published:")
    for name, published in PUBLISHED.items():
        try:
            state = f"here, in {published.where(settings)}"
        except UnavailableError:
            state = f"not here; {published.command}  ({published.size}, {published.licence})"
        click.echo(f"{name:<20} {published.title:<46} {state}")
