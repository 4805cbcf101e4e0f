"""Training commands: pairs, heads, figures. They need what requirements-train.txt names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from glass_core.errors import InputError, UnavailableError
from glass_core.settings import Settings

if TYPE_CHECKING:
    from glass_core.embedders.base import Embedder
    from glass_core.training.loop import History, Schedule

# Everything heavy is imported inside the commands, so that --help answers at once.

F = TypeVar("F", bound=Callable[..., Any])
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_GIGABYTE = 10**9


def hardware(command: F) -> F:
    """Options that say where and in which precision to compute."""
    for option in reversed(
        (
            click.option(
                "--accelerator",
                default="auto",
                show_default=True,
                help="auto, cpu, gpu: see Lightning Fabric.",
            ),
            click.option(
                "--devices", default="1", show_default=True, help="How many, or 'auto' for all."
            ),
            click.option("--nodes", type=int, default=1, show_default=True),
            click.option(
                "--strategy",
                default="auto",
                show_default=True,
                help="Such as ddp; see Lightning Fabric.",
            ),
            click.option(
                "--precision",
                default="32-true",
                show_default=True,
                help="32-true, bf16-mixed or 16-mixed.",
            ),
            click.option("--threads", type=int, help="CPU threads of each process."),
        )
    ):
        command = option(command)
    return command


def embedding(command: F) -> F:
    """Options that say which embedder to use and where embeddings are kept."""
    for option in reversed(
        (
            click.option(
                "--embedder",
                type=click.Choice(["compact", "prott5"]),
                default="compact",
                show_default=True,
            ),
            click.option(
                "--encoder",
                type=_FOLDER,
                help="Folder with encoder.safetensors and "
                "encoder.json of a compact encoder, in place of the installed one.",
            ),
            click.option(
                "--cache",
                type=_FOLDER,
                help="Folder that keeps embeddings; by default GLASS_CACHE or ~/.glass/embeddings.",
            ),
            click.option(
                "--cache-gb",
                type=float,
                default=50.0,
                show_default=True,
                help="Its size limit in gigabytes.",
            ),
            click.option("--device", help="Of the embedder: auto, cpu, cuda or cuda:1."),
        )
    ):
        command = option(command)
    return command


def pace(command: F) -> F:
    """Options that change a preset schedule; see `_changed`."""
    for option in reversed(
        (
            click.option("--steps", type=int, help="Optimiser steps, in place of the preset's."),
            click.option("--rate", type=float, help="Peak learning rate."),
            click.option("--every", type=int, help="Steps between checkpoints and validations."),
        )
    ):
        command = option(command)
    return command


@click.command("build-pairs")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=_FOLDER,
    required=True,
    help="Folder for the pairs; give it again to continue after a kill.",
)
@click.option(
    "--given",
    type=_FILE,
    help="Parquet table of near-identical pairs with coordinates "
    "of their own, labelled beside those drawn.",
)
@click.option(
    "--listed",
    type=_FILE,
    help="Table of two chain ids and a TM-score (as TM-Vec was "
    "trained on): label these pairs in place of drawn ones.",
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="QUERY",
    help="Pandas query; rows of a table that match are left out. May be repeated.",
)
@click.option(
    "--per-bin",
    type=click.IntRange(0),
    default=3000,
    show_default=True,
    help="Fold pairs wanted per TM-score bin on the training side.",
)
@click.option(
    "--cap",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Most fold pairs of one group.",
)
@click.option("--rounds", type=click.IntRange(1), default=40, show_default=True)
@click.option(
    "--chunk", type=click.IntRange(1), default=64, show_default=True, help="Pairs per shard."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Processes; by default one per core.")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A Dask scheduler, tcp://host:port, to compute there instead.",
)
def build_pairs_command(
    source: Path,
    out: Path,
    given: Path | None,
    listed: Path | None,
    leave_out: tuple[str, ...],
    per_bin: int,
    cap: int,
    rounds: int,
    chunk: int,
    seed: int,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Label pairs of chains of SOURCE with TM-score and lDDT.

    SOURCE is a folder of structure files, or a Parquet table with the columns id,
    sequence and ca, and where known split_group and cluster40.
    """
    _require("distributed")
    import pandas as pd

    from glass_core.compute import dask_runner
    from glass_core.training.data.chains import read_chains
    from glass_core.training.data.pairs import (
        PairPlan,
        build_pairs,
        read_listed,
        read_shards,
        with_sides,
    )

    rejected: list[str] = []
    chains = read_chains(source, rejected.append, leave_out)
    for reason in rejected:
        click.echo(f"left out: {reason}", err=True)
    facing = None
    if given is not None:
        facing = with_sides(pd.read_parquet(given), chains)
    with dask_runner(scheduler, workers) as run, _shard_progress() as tell:
        shards = build_pairs(
            chains,
            out,
            PairPlan(per_bin, cap, chunk, rounds=rounds, seed=seed),
            run,
            given=facing,
            listed=None if listed is None else read_listed(listed),
            tell=tell,
        )
    made = read_shards(shards, columns=["side", "kind", "tm"])
    counts = made.groupby(["side", "kind"], sort=True)["tm"].agg(["size", "median"])
    click.echo(counts.rename(columns={"size": "pairs", "median": "median TM"}).to_string())
    if rejected:
        click.echo(f"{len(rejected)} chain(s) were left out, see above.", err=True)


@click.command("train")
@click.option("--pairs", type=_FOLDER, required=True, help="What build-pairs wrote.")
@click.option(
    "--out",
    type=_FOLDER,
    required=True,
    help="Folder of the new model; give it again to continue after a kill.",
)
@click.option(
    "--unpaired",
    type=_FILE,
    help="Parquet table with sequence and cluster: sequences "
    "without a structure for the contrast of the preset compact.",
)
@click.option(
    "--preset",
    default="compact",
    show_default=True,
    help="compact, or paper: the published loss, width, batch, rate and five epochs.",
)
@click.option("--steps", type=int, help="Optimiser steps, in place of the preset's.")
@click.option("--epochs", type=float, help="Passes over all pairs, in place of the preset's.")
@click.option("--batch", type=int, help="Pairs per batch.")
@click.option("--accumulate", type=int, help="Batches per step.")
@click.option("--rate", type=float, help="Peak learning rate.")
@click.option("--every", type=int, help="Steps between checkpoints and validations.")
@click.option("--version", "version", default="0.1", show_default=True)
@embedding
@hardware
def train_command(
    pairs: Path,
    out: Path,
    unpaired: Path | None,
    preset: str,
    steps: int | None,
    epochs: float | None,
    batch: int | None,
    accumulate: int | None,
    rate: float | None,
    every: int | None,
    version: str,
    embedder: str,
    encoder: Path | None,
    cache: Path | None,
    cache_gb: float,
    device: str | None,
    **where: Any,
) -> None:
    """Train the Siamese head on labelled pairs, over any embedder."""
    _require("lightning_fabric", "diskcache")
    from glass_core.training.siamese import HEAD_RECIPES, train_head

    if preset not in HEAD_RECIPES:
        raise InputError(f"preset '{preset}': is not known; use {' or '.join(HEAD_RECIPES)}.")
    recipe = HEAD_RECIPES[preset]
    schedule = _changed(recipe.schedule, steps=steps, accumulate=accumulate, peak=rate, every=every)
    recipe = replace(
        recipe,
        schedule=schedule,
        batch=batch or recipe.batch,
        epochs=epochs or (None if steps else recipe.epochs),
    )
    fabric = _fabric(**where)
    history = train_head(
        _embedder(embedder, encoder, cache, cache_gb, device),
        pairs / "shards",
        out,
        recipe,
        fabric,
        name=out.name,
        version=version,
        kind=embedder,
        unpaired=unpaired,
    )
    _say_trained(fabric, out, history)


@click.command("train-fold")
@click.option("--pairs", type=_FOLDER, required=True, help="What build-pairs wrote.")
@click.option("--model", type=_FOLDER, required=True, help="The model that gets the head.")
@pace
@embedding
@hardware
def train_fold_command(
    pairs: Path,
    model: Path,
    steps: int | None,
    rate: float | None,
    every: int | None,
    embedder: str,
    encoder: Path | None,
    cache: Path | None,
    cache_gb: float,
    device: str | None,
    **where: Any,
) -> None:
    """Train a fold head: TM-scores from the moments of the residues, in minutes.

    The model's TM-scores are then those of this head; its lDDT stays that of the Siamese head.
    """
    _require("lightning_fabric", "diskcache")
    from glass_core.models.card import ModelCard
    from glass_core.training.fold import FOLD_SCHEDULE, train_fold

    ModelCard.read(model)
    schedule = _changed(FOLD_SCHEDULE, steps=steps, peak=rate, every=every)
    fabric = _fabric(**where)
    history = train_fold(
        _embedder(embedder, encoder, cache, cache_gb, device),
        pairs / "shards",
        model,
        fabric,
        schedule,
    )
    _say_trained(fabric, model, history)


@click.command("train-effect")
@click.argument("effects", type=_FILE)
@click.option("--model", type=_FOLDER, required=True, help="The model that gets the head.")
@click.option("--start", type=_FILE, help="Weights to begin with (effect.safetensors).")
@pace
@embedding
@hardware
def train_effect_command(
    effects: Path,
    model: Path,
    start: Path | None,
    steps: int | None,
    rate: float | None,
    every: int | None,
    embedder: str,
    encoder: Path | None,
    cache: Path | None,
    cache_gb: float,
    device: str | None,
    **where: Any,
) -> None:
    """Train the effect head on measured effects and clinical labels.

    EFFECTS is a Parquet table with the columns assay, kind (stability, scan, ddg or
    clinical), sequence, mutant, value (higher = more damaging; labels 0 or 1), group
    and side (train, validation or test).
    """
    _require("lightning_fabric", "diskcache")
    from glass_core.models.card import ModelCard
    from glass_core.training.effect import EFFECT_SCHEDULE, train_effect

    ModelCard.read(model)
    schedule = _changed(EFFECT_SCHEDULE, steps=steps, peak=rate, every=every)
    fabric = _fabric(**where)
    history = train_effect(
        _embedder(embedder, encoder, cache, cache_gb, device),
        effects,
        model,
        fabric,
        schedule,
        start,
    )
    _say_trained(fabric, model, history)


@click.command("evaluate")
@click.argument("model")
@click.option("--pairs", type=_FOLDER, help="What build-pairs wrote.")
@click.option("--effects", type=_FILE, help="As train-effect reads.")
@click.option(
    "--secondary",
    type=_FILE,
    help="Parquet table with sequence and secondary "
    "(H, E, C) of proteins unlike any trained on; for the compact encoder.",
)
@click.option(
    "--side", type=click.Choice(["validation", "test"]), default="test", show_default=True
)
@click.option("--out", type=_FOLDER, required=True, help="Folder for one JSON record per set.")
@click.option("--device", help="auto, cpu, cuda or cuda:1.")
def evaluate_command(
    model: str,
    pairs: Path | None,
    effects: Path | None,
    secondary: Path | None,
    side: str,
    out: Path,
    device: str | None,
) -> None:
    """Measure MODEL on held-out rows beside trivial baselines.

    MODEL is the name of an installed model, or the folder of one.
    """
    from glass_core.training.evaluation.run import evaluate_model

    settings = Settings.from_environment()
    if Path(model).is_dir():
        path = Path(model).resolve()
        # Without the assets: a model installed under the same name must not be taken for it.
        settings = replace(settings, models=path.parent, assets=path.parent / "none")
        model = path.name
    settings = settings.on(device)
    if not (pairs or effects or secondary):
        raise InputError("evaluate: give at least one of --pairs, --effects and --secondary.")
    for path in evaluate_model(
        settings,
        model,
        out,
        pairs=pairs,
        effects=effects,
        secondary=secondary,
        side=side,
        tell=lambda words: click.echo(words, err=True),
    ):
        click.echo(str(path))


def _changed(schedule: Schedule, **changes: float | None) -> Schedule:
    """A schedule with the changes that were asked for; None = none."""
    asked: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(schedule, **asked)


def _say_trained(fabric: Any, model: Path, history: History) -> None:
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


def _fabric(
    accelerator: str, devices: str, nodes: int, strategy: str, precision: str, threads: int | None
) -> Any:
    import torch
    from lightning_fabric import Fabric

    from glass_core.training.precision import check_precision

    if threads:
        torch.set_num_threads(threads)
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices if devices == "auto" else int(devices),
        num_nodes=nodes,
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]
    )
    check_precision(precision, fabric.device)
    fabric.launch()
    return fabric


def _embedder(
    kind: str, encoder: Path | None, cache: Path | None, cache_gb: float, device: str | None
) -> Embedder:
    import torch

    from glass_core.embedders.cache import CachedEmbedder
    from glass_core.embedders.compact import CompactEmbedder
    from glass_core.embedders.device import resolve_device
    from glass_core.models.card import file_sha256
    from glass_core.models.registry import load_embedder

    settings = Settings.from_environment().on(device)
    source: Embedder
    if encoder is not None:
        path = encoder / "encoder.json"
        if not path.is_file():
            raise InputError(f"{encoder}: holds no encoder.json.")
        name = f"compact encoder {file_sha256(encoder / 'encoder.safetensors')[:12]}"
        source = CompactEmbedder.load(
            encoder, json.loads(path.read_text()), name, resolve_device(settings.device)
        )
    else:
        source = load_embedder(settings, kind)
    folder = (cache or settings.cache).expanduser()
    return CachedEmbedder(source, folder, int(cache_gb * _GIGABYTE), stored=torch.float16)


def _require(*packages: str) -> None:
    import importlib.util

    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise UnavailableError(
                f"training needs {package}; run: pip install -r requirements-train.txt"
            )


@contextmanager
def _shard_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Shards done, rate and remaining time, on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=of, completed=done, rate="")
            speed = bar.tasks[tasks[stage]].speed
            bar.update(
                tasks[stage],
                completed=done,
                rate="" if speed is None else f"{60 * speed:.0f} shards/min",
            )

        yield tell
