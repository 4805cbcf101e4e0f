"""The command line: its commands, its exit codes.

Exit codes: 0 done, 2 bad input or something missing, 3 partly failed; 1 where a repeated
result differs.
Results go to standard output, progress and errors to standard error.
Everything heavy is imported inside the commands, so that --help answers at once.
"""

from __future__ import annotations

import sys
from copy import copy
from typing import Any

import click

import glass_core
from glass_core.cli.dashboard import dashboard_command
from glass_core.cli.database import database_group
from glass_core.cli.embed import embed_command
from glass_core.cli.evaluate import evaluate_command
from glass_core.cli.impact import impact_command
from glass_core.cli.map import map_command
from glass_core.cli.measure import measure_command
from glass_core.cli.models import models_command
from glass_core.cli.properties import properties_command
from glass_core.cli.report import report_command
from glass_core.cli.rerun import rerun_command
from glass_core.cli.screen import screen_command
from glass_core.cli.search import align_command, search_command
from glass_core.cli.sources import fetch_command
from glass_core.cli.train import train_group
from glass_core.cli.train_heads import effect_command, fold_command
from glass_core.cli.train_joint import joint_command, space_command
from glass_core.cli.train_pairs import pairs_command
from glass_core.errors import GlassError

_BAD_INPUT = 2
_OLD_NAMES = {
    "build-pairs": pairs_command,
    "train-fold": fold_command,
    "train-space": space_command,
    "pretrain-joint": joint_command,
    "train-effect": effect_command,
}
"""Other names of steps of train, which scripts of users call them by."""


class _Commands(click.Group):
    """Turns every `GlassError` into one line on standard error and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GlassError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(_BAD_INPUT)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(glass_core.__version__, prog_name="GLASS")
def main() -> None:
    """GLASS: what a mutation does to a protein's structure."""


for command in (
    impact_command,
    screen_command,
    report_command,
    rerun_command,
    measure_command,
    dashboard_command,
    models_command,
    embed_command,
    map_command,
    properties_command,
    search_command,
    align_command,
    database_group,
    fetch_command,
    train_group,
    evaluate_command,
):
    main.add_command(command)
for old_name, command in _OLD_NAMES.items():
    alias = copy(command)
    alias.hidden = True
    main.add_command(alias, old_name)
