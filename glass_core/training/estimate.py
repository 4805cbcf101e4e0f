"""Training of the estimate head on exact values, over any embedder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from glass_core.embedders.base import Embedder
from glass_core.metrics.agreement import spearman
from glass_core.models.checkpoint import save_head
from glass_core.models.heads.estimate import LEAST, EstimateConfig, EstimateHead, EstimateInputs
from glass_core.records import known_mean
from glass_core.training.data.exact import PIECES, ExactValues, read_exact
from glass_core.training.effect import correlation
from glass_core.training.loop import History, Schedule, Validation, fit, total, write_record
from glass_core.training.residues import embed_fixed

ESTIMATE_SCHEDULE = Schedule(
    steps=2400, peak=1e-3, warmup=50, decay=0.9, weight_decay=0.1, every=100
)
BATCH = 32
WEIGHTS = {"tm": 1.0, "lddt": 1.0, "rank": 0.2}
_BEND = 0.1
"""Of the loss: logarithms further off than that count by their error, not by its square."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The substitutions of a chain as the head takes them.

    Attributes
    ----------
    inputs : EstimateInputs
        Of their n residues.
    letter : Tensor, shape=(n,), dtype=int64
        What is put there.
    logarithm : Tensor, shape=(n, 2), dtype=float32
        Targets, see `heads.estimate.OUTPUTS`.
    """

    inputs: EstimateInputs
    letter: Tensor
    logarithm: Tensor


def prepare(embedder: Embedder, chains: Sequence[ExactValues]) -> list[Prepared]:
    """Embed every chain, once."""
    embedded = embed_fixed(embedder, [chain.sequence for chain in chains])
    return [
        Prepared(
            EstimateInputs.of(residues.cpu(), chain.sequence).at(torch.tensor(chain.index)),
            torch.tensor(chain.letter),
            _logarithm(chain),
        )
        for chain, residues in zip(chains, embedded, strict=True)
    ]


def _logarithm(chain: ExactValues) -> Tensor:
    deficits = 1 - np.stack([chain.tm, chain.lddt], axis=1)
    return torch.from_numpy(np.log10(deficits.clip(LEAST))).float()


class EstimateTraining(nn.Module):
    """The estimate head: prepared chains in, losses out."""

    def __init__(self, head: EstimateHead) -> None:
        super().__init__()
        self.head = head

    def told(self, batch: Sequence[Prepared]) -> list[Tensor]:
        """Logarithms of the deficits of the substitutions of each chain, shape=(n, 2) each."""
        device = self.head.deficits.weight.device
        tables = self.head(EstimateInputs.joined([one.inputs for one in batch]).to(device))
        letter = torch.cat([one.letter for one in batch]).to(device)
        told = tables[torch.arange(len(letter), device=device), letter]
        return list(told.split([len(one.letter) for one in batch]))

    def forward(self, batch: Sequence[Prepared]) -> dict[str, Tensor]:
        """Named losses of a batch, ``total`` among them.

        ``tm`` and ``lddt``: of the logarithms; ``rank``: 1 - their correlation within a chain.
        """
        told = self.told(batch)
        exact = [one.logarithm.to(told[0].device) for one in batch]
        every = [
            F.smooth_l1_loss(a, b, reduction="none", beta=_BEND).mean(0)
            for a, b in zip(told, exact, strict=True)
        ]
        of_tm, of_lddt = torch.stack(every).mean(0)
        rank = [
            1 - correlation(a[:, k], b[:, k])
            for a, b in zip(told, exact, strict=True)
            for k in range(a.shape[1])
        ]
        losses = {"tm": of_tm, "lddt": of_lddt, "rank": torch.stack(rank).mean()}
        return total(losses, WEIGHTS)


def drawing(prepared: Sequence[Prepared], seed: int) -> Callable[[int], list[Prepared]]:
    """Batch number to batch: chains drawn at random."""
    size = min(BATCH, len(prepared))

    def draw(number: int) -> list[Prepared]:
        rng = np.random.default_rng([seed, number])
        return [prepared[k] for k in rng.choice(len(prepared), size, replace=False)]

    return draw


def estimate_figures(training: EstimateTraining, held: Sequence[Prepared]) -> dict[str, float]:
    """Mean absolute errors of the logarithms (``loss``: their sum), Spearman within a chain."""
    errors, ranks = [], []
    for one in held:
        told = training.told([one])[0].double().cpu().numpy()
        exact = one.logarithm.double().numpy()
        errors.append(np.abs(told - exact).mean(axis=0))
        ranks.append([spearman(told[:, k], exact[:, k]) for k in range(told.shape[1])])
    tm, lddt = np.mean(errors, axis=0)
    of_tm, of_lddt = (known_mean(column) for column in np.array(ranks).T)
    return {
        "loss": float(tm + lddt),
        "tm": float(tm),
        "lddt": float(lddt),
        "tm_spearman": of_tm,
        "lddt_spearman": of_lddt,
    }


def train_estimate(
    embedder: Embedder,
    exact: Path,
    model: Path,
    fabric: Fabric,
    schedule: Schedule = ESTIMATE_SCHEDULE,
    config: EstimateConfig | None = None,
) -> History:
    """Train the head on what `write_exact` wrote into `exact`; add it to the model in `model`.

    Raises
    ------
    InputError
        No chains of the train or of the validation side.
    """
    train, held = read_exact(exact, "train"), read_exact(exact, "validation")
    torch.manual_seed(schedule.seed)
    head = EstimateHead(config or EstimateConfig(embedder.dim))
    prepared, judged = prepare(embedder, train), prepare(embedder, held)
    with torch.no_grad():
        mean = torch.cat([one.logarithm for one in prepared]).mean(0)
        head.deficits.bias.view(-1, len(mean)).copy_(mean)
    training = EstimateTraining(head)
    history = fit(
        training,
        drawing(prepared, schedule.seed),
        schedule,
        model / "estimate.pt",
        fabric=fabric,
        validation=Validation(lambda: estimate_figures(training, judged)),
    )
    if fabric.is_global_zero:
        save_head(model, "estimate", head.cpu().eval(), torch.float16)
        write_record(
            model / "estimate-training.json",
            history,
            {
                "schedule": asdict(schedule),
                "batch": BATCH,
                "weights": WEIGHTS,
                "chains": len(train),
                "embedder": embedder.name,
            },
            {"exact": exact / PIECES},
        )
    return history
