"""What the commands that train share: their options, what must be installed, what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glass_core.cli.options import FOLDER, device_option, gathered
from glass_core.embedders.kinds import EMBEDDER_KINDS

if TYPE_CHECKING:
    from glass_core.training.loop import History, Schedule

hardware_options = gathered(
    "hardware",
    {
        "accelerator": click.option(
            "--accelerator",
            default="auto",
            show_default=True,
            help="auto, cpu, gpu: see Lightning Fabric.",
        ),
        "devices": click.option(
            "--devices", default="1", show_default=True, help="How many, or 'auto' for all."
        ),
        "nodes": click.option("--nodes", type=int, default=1, show_default=True),
        "strategy": click.option(
            "--strategy",
            default="auto",
            show_default=True,
            help="Such as ddp; see Lightning Fabric.",
        ),
        "precision": click.option(
            "--precision",
            default="32-true",
            show_default=True,
            help="32-true, bf16-mixed or 16-mixed.",
        ),
        "threads": click.option("--threads", type=int, help="CPU threads of each process."),
    },
)
"""Where and in which precision to compute; for `training.setup.open_fabric`."""

embedder_options = gathered(
    "embedding",
    {
        "embedder": click.option(
            "--embedder", type=click.Choice(EMBEDDER_KINDS), default="compact", show_default=True
        ),
        "encoder": click.option(
            "--encoder",
            type=FOLDER,
            help="Folder with encoder.safetensors and encoder.json of a compact encoder, in place "
            "of the installed one.",
        ),
        "cache": click.option(
            "--cache",
            type=FOLDER,
            help="Folder that keeps embeddings; by default GLASS_CACHE or ~/.glass/embeddings.",
        ),
        "cache_gb": click.option(
            "--cache-gb",
            type=float,
            default=50.0,
            show_default=True,
            help="Its size limit in gigabytes.",
        ),
        "device": device_option,
    },
)
"""Which embedder, and where its embeddings are kept; for `training.setup.open_embedder`."""

pace_options = gathered(
    "pace",
    {
        "steps": click.option(
            "--steps", type=int, help="Optimiser steps, in place of the preset's."
        ),
        "peak": click.option("--rate", "peak", type=float, help="Peak learning rate."),
        "every": click.option(
            "--every", type=int, help="Steps between checkpoints and validations."
        ),
    },
)
"""Changes of a preset schedule; for `changed`."""


def changed(schedule: Schedule, pace: Mapping[str, Any]) -> Schedule:
    """A schedule with the changes that were asked for; None = none."""
    return replace(schedule, **{name: value for name, value in pace.items() if value is not None})


def say_trained(fabric: Any, model: Path, history: History) -> None:
    """One line of JSON about a finished training, from one process."""
    if fabric.is_global_zero:
        click.echo(
            json.dumps(
                {
                    "model": str(model),
                    "steps": len(history.curve),
                    "best_step": history.best_step,
                    "seconds": history.seconds,
                }
            )
        )
