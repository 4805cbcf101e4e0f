"""Training of the head of local change on pairs of experimental structures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import InputError
from glass_core.metrics.agreement import spearman
from glass_core.models.checkpoint import save_head
from glass_core.models.heads.local_change import (
    OFFSETS,
    TERMS,
    LocalChangeConfig,
    LocalChangeHead,
    Member,
)
from glass_core.models.heads.local_inputs import GEOMETRY, faded, geometry, sites
from glass_core.protein.sequence import STANDARD
from glass_core.records import known_mean
from glass_core.training.data.changes import PAIRS_FILE, Fold, StructureChange, read_changes
from glass_core.training.effect import correlation
from glass_core.training.loop import History, Schedule, Validation, fit, total, write_record

LOCAL_SCHEDULE = Schedule(
    steps=1000, peak=2e-3, warmup=30, decay=0.9, weight_decay=0.1, every=250, seed=0
)
BATCH = 16
SHARES = {"point_mutant": 1.0, "same_sequence": 1.0}
MOST_OF_GROUP = 6
"""A group is drawn by the root of its pairs, counted up to that."""
WEIGHTS = {"rank": 1.0, "deficit": 0.4, "size": 0.2}
BASE_WEIGHT = 0.3
"""Of the loss of the base alone on pairs with a substitution."""
SHRINK = 0.5
"""Of what a substitution adds, after training: ranks alone make too much of it at the site.
Of 0.25, 0.5, 0.75 and 1 the one without a bias there, by cross-validation."""
_SAMPLE, _EVERY_NTH = 8000, 9
_LEAST_SPREAD = 1e-2


@dataclass(frozen=True, eq=False)
class Prepared:
    """A `StructureChange` as the networks take it.

    Attributes
    ----------
    change : StructureChange
    inputs : Tensor, shape=(n, inputs), dtype=float16
    terms : Tensor or None, shape=(n, TERMS), dtype=float32
        What is told of the nearest site, faded; None without a substitution.
    logarithm, ranked : Tensor, shape=(n, 2), dtype=float32
        Targets: logarithms, and ranks of mean 0 and deviation 1.
    """

    change: StructureChange
    inputs: Tensor
    terms: Tensor | None
    logarithm: Tensor
    ranked: Tensor


def fit_inputs(head: LocalChangeHead, folds: Sequence[Fold]) -> None:
    """Centre and scale of the inputs, and the principal axes of the vectors, from `folds`."""
    vectors = torch.cat([fold.vectors[::_EVERY_NTH] for fold in folds]).double()
    centre, spread = vectors.mean(0), vectors.std(0).clamp(min=_LEAST_SPREAD)
    chosen = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(0))[:_SAMPLE]
    right = torch.linalg.svd((vectors[chosen] - centre) / spread, full_matrices=False)[2]
    axes = (right[: head.config.axes] / spread).T
    length = ((vectors[chosen] - centre) @ axes).std(0)
    head.vector_centre.copy_(centre)
    head.axes.copy_(axes / length)
    sample = np.concatenate(
        [head.residues(geometry(f.ca.astype(float), f.letters), f.vectors) for f in folds[::7]]
    )
    letters = slice(GEOMETRY - len(STANDARD), GEOMETRY)
    centre_of, scale_of = sample.mean(axis=0), np.maximum(sample.std(axis=0), _LEAST_SPREAD)
    centre_of[letters], scale_of[letters] = 0.0, 1.0
    head.centre.copy_(torch.from_numpy(centre_of))
    head.scale.copy_(torch.from_numpy(scale_of))


def prepare(head: LocalChangeHead, changes: Sequence[StructureChange]) -> list[Prepared]:
    """Inputs and targets of every change; those of one fold are made once."""
    made: dict[int, tuple[Tensor, NDArray[np.float64]]] = {}
    prepared = []
    for one in changes:
        fold, key = one.fold, id(one.fold)
        if key not in made:
            of_geometry = geometry(fold.ca.astype(float), fold.letters)
            inputs = head.inputs(of_geometry, fold.vectors, fold.distance).half()
            seen = fold.vectors[:, -2 * len(STANDARD) : -len(STANDARD)].double().numpy()
            made[key] = inputs, sites(seen, fold.letters, of_geometry)
        inputs, told = made[key]
        targets = np.stack([one.change, one.deficit], axis=1)
        prepared.append(
            Prepared(
                one,
                inputs,
                site_terms(one, told),
                torch.from_numpy(np.log(targets + OFFSETS)).float(),
                torch.from_numpy(_ranked(targets)).float(),
            )
        )
    return prepared


def site_terms(change: StructureChange, told: NDArray[np.float64]) -> Tensor | None:
    """Of each residue what is told of the nearest site, shape=(n, TERMS); None without one."""
    if not change.sites:
        return None
    away = change.fold.distance[:, [index for index, _ in change.sites]]
    nearest = away.argmin(axis=1)
    of_site = np.stack([told[index, letter] for index, letter in change.sites])[nearest]
    terms = faded(away.min(axis=1))[..., None] * of_site[:, None]
    return torch.from_numpy(terms.reshape(len(away), TERMS)).float()


class LocalTraining(nn.Module):
    """One member of the head: prepared changes in, losses out."""

    def __init__(self, member: Member, with_site: bool = True) -> None:
        super().__init__()
        self.member = member
        self.with_site = with_site

    def told(self, one: Prepared) -> tuple[Tensor, Tensor]:
        """Logarithms without and with the site, each of shape=(n, 2)."""
        base = self.member.base(one.inputs.float())
        if one.terms is None or not self.with_site:
            return base, base
        return base, self.member.with_site(base, one.terms)

    def forward(self, batch: Sequence[Prepared]) -> dict[str, Tensor]:
        """Named losses of a batch, ``total`` among them."""
        bases = self.member.base(torch.cat([one.inputs for one in batch]).float())
        parts: dict[str, list[Tensor]] = {name: [] for name in WEIGHTS}
        for one, base in zip(batch, bases.split([len(o.inputs) for o in batch]), strict=True):
            told = [(base, 1.0)]
            if one.terms is not None and self.with_site:
                told = [(self.member.with_site(base, one.terms), 1.0), (base, BASE_WEIGHT)]
            for values, weight in told:
                for name, loss in _losses(values, one).items():
                    parts[name].append(weight * loss)
        return total({n: torch.stack(v).sum() / len(batch) for n, v in parts.items()}, WEIGHTS)


def _losses(values: Tensor, one: Prepared) -> dict[str, Tensor]:
    """``rank`` and ``deficit``: 1 - correlation with the ranks; ``size``: of logarithms."""
    return {
        "rank": 1 - correlation(values[:, 0], one.ranked[:, 0]),
        "deficit": 1 - correlation(values[:, 1], one.ranked[:, 1]),
        "size": F.smooth_l1_loss(values, one.logarithm),
    }


def _ranked(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks = rankdata(targets, axis=0)
    spread = ranks.std(axis=0)
    return np.asarray((ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def drawing(prepared: Sequence[Prepared], seed: int) -> Callable[[int], list[Prepared]]:
    """Batch number to batch: a group of one kind, then one of its changes."""
    by: dict[tuple[str, int], list[Prepared]] = {}
    for one in prepared:
        by.setdefault((one.change.kind, one.change.group), []).append(one)
    groups = list(by)
    chance = np.array(
        [SHARES[kind] * min(len(by[kind, group]), MOST_OF_GROUP) ** 0.5 for kind, group in groups]
    )
    chance /= chance.sum()

    def draw(number: int) -> list[Prepared]:
        rng = np.random.default_rng([seed, number])
        chosen = rng.choice(len(groups), BATCH, p=chance)
        return [by[groups[k]][rng.integers(len(by[groups[k]]))] for k in chosen]

    return draw


def local_figures(
    prepared: Sequence[Prepared], told: Callable[[Prepared], tuple[Tensor, Tensor]]
) -> dict[str, float]:
    """Mean Spearman within a protein by kind, every group once; ``loss`` is 1 - their mean."""
    by: dict[str, dict[int, list[float]]] = {}
    for one in prepared:
        if one.change.forward:
            agreed = spearman(told(one)[1][:, 0].double().numpy(), one.change.change)
            by.setdefault(one.change.kind, {}).setdefault(one.change.group, []).append(agreed)
    figures = {
        kind: known_mean([known_mean(values) for values in groups.values()])
        for kind, groups in by.items()
    }
    return {"loss": 1 - known_mean(list(figures.values())), **figures}


def train_members(
    head: LocalChangeHead,
    train: Sequence[StructureChange],
    held: Sequence[StructureChange],
    work: Path,
    fabric: Fabric,
    schedule: Schedule,
    with_site: bool = True,
) -> list[History]:
    """Fit the inputs of `head` and train its members one by one; checkpoints lie in `work`.

    The last weights are kept: with so few groups to validate on, the best of several
    validations is the luckiest. How long to train was chosen by cross-validation. What a
    substitution adds is shrunk in the end.
    """
    fit_inputs(head, list({id(c.fold): c.fold for c in train}.values()))
    prepared, judged = prepare(head, train), prepare(head, held)
    histories = []
    for number, member in enumerate(head.members):
        assert isinstance(member, Member)
        training = LocalTraining(member, with_site)
        validation = Validation(
            lambda training=training: local_figures(judged, training.told),  # type: ignore[misc]
            keep_best=False,
        )
        histories.append(
            fit(
                training,
                drawing(prepared, schedule.seed + number),
                schedule,
                work / f"local_change-{number}.pt",
                fabric=fabric,
                validation=validation if judged else None,
            )
        )
        with torch.no_grad():
            member.added.weight.mul_(SHRINK)
    head.eval()
    return histories


def train_local_change(
    structures: Path,
    embedder: StructureEmbedder | None,
    model: Path,
    fabric: Fabric,
    schedule: Schedule = LOCAL_SCHEDULE,
    keep: Path | None = None,
    config: LocalChangeConfig | None = None,
) -> History:
    """Train the head on the pairs in folder `structures` and add it to the model in `model`.

    `keep` is a folder that keeps the vectors of the structures; see `read_changes`. What is
    returned is the history of the last member.
    """
    changes = read_changes(structures, embedder, keep, ("train", "validation"))
    train = [c for c in changes if c.side == "train"]
    held = [c for c in changes if c.side == "validation"]
    if not train:
        raise InputError(f"{structures}: holds no pair of the train side.")
    torch.manual_seed(schedule.seed)
    head = LocalChangeHead(config or LocalChangeConfig())
    histories = train_members(head, train, held, model, fabric, schedule)
    if fabric.is_global_zero:
        save_head(model, "local_change", head.cpu(), torch.float16)
        write_record(
            model / "local_change-training.json",
            histories[-1],
            {
                "schedule": asdict(schedule),
                "batch": BATCH,
                "shares": SHARES,
                "weights": WEIGHTS,
                "base_weight": BASE_WEIGHT,
                "shrink": SHRINK,
            },
            {"pairs": structures / PAIRS_FILE},
        )
    return histories[-1]
