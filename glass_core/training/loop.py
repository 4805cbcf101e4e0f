"""One training loop for everything that is trained here, over Lightning Fabric.

What is trained is a module whose forward takes a batch and returns named losses,
``total`` among them; a batch is a function of its index alone. So a killed run
continues on the same curve, and devices, nodes and precision are flags of `Fabric`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from glass_core.errors import InputError
from glass_core.progress import Say
from glass_core.records import require

RECORD_FORMAT = "glass-training/1"
_PACKAGES = ("torch", "lightning-fabric", "numpy", "pandas")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes
    ----------
    steps : int
        Optimiser steps.
    peak : float
        Learning rate of AdamW after the warm-up.
    warmup : int
        Steps over which the rate rises to `peak`.
    decay : float
        Last share of the steps, over which the rate falls to zero; 0 = constant.
    weight_decay, clip : float
        Of AdamW; largest norm of the gradient.
    accumulate : int
        Batches per step (and device).
    every : int
        Steps between checkpoints and validations.
    patience : int or None
        Validations without a better one after which training ends.
    seed : int
        Of dropout; batches carry their own.
    """

    steps: int
    peak: float
    warmup: int = 0
    decay: float = 0.0
    weight_decay: float = 0.01
    clip: float = 1.0
    accumulate: int = 1
    every: int = 100
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "every"):
            require(getattr(self, name) > 0, name, "is positive")
        require(self.peak > 0, "peak", "is positive")
        require(0 <= self.decay <= 1, "decay", "is a share")

    def rate(self, step: int) -> float:
        """Learning rate of `step`.

        Nothing before the decay depends on `steps`: a run can be lengthened or cut.
        """
        rise = (step + 1) / self.warmup if step < self.warmup else 1.0
        fall = (self.steps - step) / (self.decay * self.steps) if self.decay else 1.0
        return self.peak * min(rise, fall, 1.0)


@dataclass
class History:
    """What a run has been through: the losses of every step, and the validations."""

    curve: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0
    best: float = math.inf
    since_best: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Validation:
    """How weights are judged while they are trained.

    Attributes
    ----------
    figures : callable
        Returns figures, ``loss`` among them (lower is better). The module is in
        evaluation mode and gradients are off.
    first : bool
        Before the first step too: the weights to begin with may be the best.
    keep_best : bool
        End with the weights that were best, not with the last ones.
    """

    figures: Callable[[], Mapping[str, float]]
    first: bool = False
    keep_best: bool = True


def _on_stderr(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def fit(
    module: nn.Module,
    batch_of: Callable[[int], Any],
    schedule: Schedule,
    checkpoint: Path,
    *,
    fabric: Fabric | None = None,
    validation: Validation | None = None,
    say: Say = _on_stderr,
) -> History:
    """Train `module`, continuing from `checkpoint` where there is one.

    Parameters
    ----------
    module : nn.Module
        ``module(batch)`` returns a dict of scalar losses; ``total`` is minimised.
    batch_of : callable
        Batch number to batch, on the device of `fabric`.
    validation : Validation, optional
        How the weights are judged on the way.

    Returns
    -------
    History
        What happened; `module` holds the weights to keep.
    """
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    optimiser: Any = torch.optim.AdamW(
        [p for p in module.parameters() if p.requires_grad],
        lr=schedule.peak,
        weight_decay=schedule.weight_decay,
    )
    history, best_state = History(), None
    if checkpoint.is_file():
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        module.load_state_dict(saved["module"])
        optimiser.load_state_dict(saved["optimiser"])
        history, best_state = History(**saved["history"]), saved["best_state"]
    wrapped: Any
    wrapped, optimiser = fabric.setup(_Numbered(module, batch_of), optimiser)
    began = time.monotonic() - history.seconds

    def judge(step: int) -> None:
        nonlocal best_state
        if validation is None:
            return
        wrapped.eval()
        with torch.no_grad():
            figures = dict(validation.figures())
        history.validation.append({"step": step, **figures})
        history.since_best += 1
        if figures["loss"] < history.best:
            history.best, history.best_step, history.since_best = figures["loss"], step, 0
            best_state = {k: v.detach().cpu().clone() for k, v in module.state_dict().items()}

    if validation is not None and validation.first and not history.validation:
        judge(0)
    while len(history.curve) < schedule.steps and not _exhausted(history, schedule):
        step = len(history.curve)
        wrapped.train()
        torch.manual_seed(schedule.seed + step)
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        parts: dict[str, float] = {}
        for part in range(schedule.accumulate):
            number = (step * schedule.accumulate + part) * fabric.world_size + fabric.global_rank
            with fabric.no_backward_sync(wrapped, enabled=part + 1 < schedule.accumulate):
                losses = wrapped(number)
                fabric.backward(losses["total"] / schedule.accumulate)
            for name, loss in losses.items():
                parts[name] = parts.get(name, 0.0) + float(loss.detach()) / schedule.accumulate
        fabric.clip_gradients(wrapped, optimiser, max_norm=schedule.clip)
        optimiser.step()
        optimiser.zero_grad()
        history.curve.append(parts)
        step += 1
        if step % schedule.every == 0 or step == schedule.steps:
            judge(step)
            history.seconds = time.monotonic() - began
            if fabric.is_global_zero:
                save_atomically(
                    {
                        "module": module.state_dict(),
                        "optimiser": optimiser.state_dict(),
                        "history": asdict(history),
                        "best_state": best_state,
                    },
                    checkpoint,
                )
                say(
                    f"step {step}: {_recent(history.curve[-schedule.every :])}"
                    + (f" | validation {_recent(history.validation[-1:])}" if validation else "")
                )
    if best_state is not None and validation is not None and validation.keep_best:
        module.load_state_dict(best_state)
    return history


class _Numbered(nn.Module):
    """Fetches the batch inside its forward: Fabric takes apart what it passes through."""

    def __init__(self, module: nn.Module, batch_of: Callable[[int], Any]) -> None:
        super().__init__()
        self.module = module
        self._batch_of = batch_of

    def forward(self, number: int) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.module(self._batch_of(number))
        return found


def _exhausted(history: History, schedule: Schedule) -> bool:
    return schedule.patience is not None and history.since_best >= schedule.patience


def _recent(curve: Sequence[Mapping[str, float]]) -> str:
    names = {name: None for entry in curve for name in entry if name != "step"}
    mean = {n: [entry[n] for entry in curve if n in entry] for n in names}
    return " ".join(f"{n} {sum(v) / len(v):.4f}" for n, v in mean.items())


def save_atomically(content: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint so that a kill leaves the old or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(dict(content), partial)
    partial.replace(path)


def write_record(
    path: Path, history: History, config: Mapping[str, Any], data: Mapping[str, Path]
) -> None:
    """The training record as JSON: curves, configuration, data hashes, code, versions."""
    record = {
        "format": RECORD_FORMAT,
        "config": dict(config),
        "data_sha256": {name: data_sha256(place) for name, place in data.items()},
        "git_revision": git_revision(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        **{k: v for k, v in asdict(history).items() if k not in ("since_best", "best")},
        "best": history.best if math.isfinite(history.best) else None,
    }
    path.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8")


def data_sha256(place: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    if not place.exists():
        raise InputError(f"{place}: does not exist.")
    digest = hashlib.sha256()
    for path in [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file()):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def git_revision() -> str | None:
    """Commit of the code, with ``+`` where files differ from it; None outside a checkout."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(Path(__file__).parent), *words],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def total(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """`losses` with their weighted sum as ``total``."""
    return {"total": torch.stack([weights[n] * v for n, v in losses.items()]).sum(), **losses}
