"""The command train: one step of the making of a model each."""

from __future__ import annotations

import click

from glass_core.cli.train_compact import (
    alignments_command,
    assays_command,
    card_command,
    corpus_command,
    encoder_command,
    tune_command,
)
from glass_core.cli.train_estimate import estimate_command, exact_command
from glass_core.cli.train_heads import (
    alignment_command,
    change_command,
    combined_command,
    effect_command,
    fold_command,
    siamese_command,
    sites_command,
    stability_command,
    structure_effect_command,
)
from glass_core.cli.train_joint import (
    background_command,
    joint_command,
    space_command,
    space_record_command,
)
from glass_core.cli.train_pairs import pairs_command
from glass_core.cli.train_properties import ablation_command, encoders_command, property_command
from glass_core.cli.train_search import (
    fold_chance_command,
    relatives_command,
    search_database_command,
)


class _Steps(click.Group):
    """Steps in the order in which they are made; without a name, options are of `siamese`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = [siamese_command.name or "", *args]
        return super().parse_args(ctx, args)


@click.group("train", cls=_Steps)
def train_group() -> None:
    """Train a model, step by step; 'train --pairs ...' trains the Siamese head.

    For heads of your own: pairs, siamese, fold, alignment, effect, sites, stability,
    structure-effect, combined, change, exact, estimate, then evaluate. The other steps make
    the compact model. Every step can be repeated, and resumes.
    """


for step in (
    corpus_command,
    assays_command,
    encoder_command,
    tune_command,
    relatives_command,
    pairs_command,
    siamese_command,
    fold_command,
    alignment_command,
    effect_command,
    sites_command,
    stability_command,
    structure_effect_command,
    alignments_command,
    combined_command,
    change_command,
    exact_command,
    estimate_command,
    fold_chance_command,
    search_database_command,
    joint_command,
    space_command,
    space_record_command,
    background_command,
    property_command,
    ablation_command,
    encoders_command,
    card_command,
):
    train_group.add_command(step)
