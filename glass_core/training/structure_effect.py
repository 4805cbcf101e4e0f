"""Training of the effect head that reads the structure, on scans and clinical labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from glass_core.errors import InputError
from glass_core.metrics.agreement import auroc, spearman
from glass_core.models.checkpoint import save_head
from glass_core.models.heads.residue_network import ResidueInputs
from glass_core.models.heads.structure_effect import StructureEffectConfig, StructureEffectHead
from glass_core.training.data.sites import Sites, read_sites
from glass_core.training.effect import correlation, platt
from glass_core.training.folds import FOLDS, told_by_strangers
from glass_core.training.loop import History, Schedule, total, write_record
from glass_core.training.site_heads import SiteTraining, Values, told_of_sites

STRUCTURE_EFFECT_SCHEDULE = Schedule(
    steps=900, peak=1e-3, warmup=90, decay=0.9, weight_decay=0.02, every=300
)
KINDS = ("scan", "clinical")
"""Of the assays that it learns from."""
CHECKPOINT = "structure_effect.pt"
SCANS, SCAN_POSITIONS = 4, 128
"""Scans in a batch, and positions of each at most."""
PROTEINS, LABELLED_POSITIONS = 48, 16
"""Proteins with clinical labels in a batch, and positions of each at most."""
WITHHELD = 0.3
"""Share of the assays whose structure a batch withholds."""
STRUCTURE_COUNTS = 3.0
"""How much more often a labelled protein is drawn whose structure is known."""
WEIGHTS = {"rank": 1.0, "label": 0.7}
_FEWEST = 20


@dataclass(frozen=True)
class EffectSites:
    """Positions of several assays one behind another, with their values.

    Attributes
    ----------
    inputs : ResidueInputs
    value : Tensor, shape=(n, 20)
        Ranks of scans from 0 to 1, labels 0 or 1; NaN = not measured.
    scans : tuple of slice
        The rows of each scan.
    labelled : slice
        The rows with labels.
    """

    inputs: ResidueInputs
    value: Tensor
    scans: tuple[slice, ...]
    labelled: slice


class EffectSitesDraw:
    """Batches of positions, each a function of its number.

    A scan of a family of k counts as 1 / k; a labelled protein by the root of its labels.
    """

    def __init__(self, sites: Sites, seed: int) -> None:
        self._sites, self._seed = sites, seed
        scan, clinical = sites.of_kind("scan"), sites.of_kind("clinical")
        self._scans, families = _members(sites, scan)
        kin = np.array([families.count(f) for f in families], dtype=float)
        self._scan_share = (1 / kin) / (1 / kin).sum() if families else kin
        self._proteins, _ = _members(sites, clinical)
        labels = [float((~np.isnan(sites.value[rows])).sum()) for rows in self._proteins]
        seen = [sites.known[rows].any() for rows in self._proteins]
        weight = np.sqrt(labels) * np.where(seen, STRUCTURE_COUNTS, 1.0)
        self._protein_share = weight / weight.sum()

    def batch(self, number: int) -> EffectSites:
        """Batch `number`."""
        rng = np.random.default_rng([self._seed, number])
        rows: list[NDArray[np.int64]] = []
        known: list[NDArray[np.bool_]] = []
        for members, share, count, most in (
            (self._scans, self._scan_share, SCANS, SCAN_POSITIONS),
            (self._proteins, self._protein_share, PROTEINS, LABELLED_POSITIONS),
        ):
            for drawn in rng.choice(len(members), count, p=share):
                own = rng.permutation(members[drawn])[:most]
                rows.append(own)
                known.append(self._sites.known[own] & (rng.random() >= WITHHELD))
        ends = np.cumsum([len(own) for own in rows])
        index = np.concatenate(rows)
        value = self._sites.value[index].copy()
        starts = [0, *ends[:-1]]
        scans = tuple(slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True))[:SCANS]
        for rows_of in scans:
            value[rows_of] = _ranked(value[rows_of])
        return EffectSites(
            self._sites.inputs(index, np.concatenate(known)),
            torch.from_numpy(value),
            scans,
            slice(int(ends[SCANS - 1]), int(ends[-1])),
        )


class StructureEffectTraining(nn.Module):
    """The head with its losses: batches in, losses out."""

    def __init__(self, head: StructureEffectHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, batch: EffectSites) -> dict[str, Tensor]:
        """``rank``: 1 - correlation with a scan's ranks; ``label``: nats; ``total``."""
        score, damaging = self.head(batch.inputs)
        measured = ~torch.isnan(batch.value)
        rank, label = [], []
        for member in range(len(score)):
            for rows in batch.scans:
                known = measured[rows]
                if int(known.sum()) >= _FEWEST:
                    own = score[member, rows][known]
                    rank.append(1 - correlation(own, batch.value[rows][known]))
            known = measured[batch.labelled]
            label.append(
                F.binary_cross_entropy_with_logits(
                    damaging[member, batch.labelled][known], batch.value[batch.labelled][known]
                )
            )
        losses = {"label": torch.stack(label).mean()}
        if rank:
            losses["rank"] = torch.stack(rank).mean()
        return total(losses, WEIGHTS)


def structure_effect_training(schedule: Schedule, fabric: Fabric) -> SiteTraining:
    """How the head is trained."""
    return SiteTraining(
        StructureEffectHead, StructureEffectTraining, EffectSitesDraw, schedule, fabric
    )


def train_structure_effect(
    sites: Path, model: Path, fabric: Fabric, schedule: Schedule = STRUCTURE_EFFECT_SCHEDULE
) -> History:
    """Train the head on positions in the folder `sites`, and add it to `model`.

    Its chances are calibrated on what heads say that were trained without the protein.
    """
    every = read_sites(sites)
    every = every.only(every.of_kind(*KINDS))
    side = every.rows["side"].to_numpy()
    train, held = every.only(side == "train"), every.only(side == "validation")
    if not len(train) or not len(held):
        raise InputError(f"{sites}: holds no effects of the train or the validation side.")
    config = StructureEffectConfig(embedding_dim=every.tensors["sequence"].shape[1])
    training, checkpoint = structure_effect_training(schedule, fabric), model / CHECKPOINT
    head, history = training.trained(
        train, config, checkpoint, lambda head: effect_site_figures(head, held)
    )
    _, with_structure, _, with_sequence = told_by_strangers(
        train, training.stranger(config, KINDS, checkpoint)
    )
    if fabric.is_global_zero:
        head.cpu().eval()
        labelled = train.of_kind("clinical")
        scale, offset = _calibrated(train, with_structure, labelled & train.known)
        sequence_scale, sequence_offset = _calibrated(train, with_sequence, labelled)
        head.config = replace(
            head.config,
            scale=scale,
            offset=offset,
            sequence_scale=sequence_scale,
            sequence_offset=sequence_offset,
        )
        save_head(model, "structure_effect", head, torch.float16)
        write_record(
            model / "structure-effect-training.json",
            history,
            {
                "schedule": asdict(schedule),
                "scans": [SCANS, SCAN_POSITIONS],
                "proteins": [PROTEINS, LABELLED_POSITIONS],
                "withheld": WITHHELD,
                "structure_counts": STRUCTURE_COUNTS,
                "folds": FOLDS,
            },
            {"sites": sites},
        )
    return history


def effect_site_figures(head: StructureEffectHead, held: Sites) -> dict[str, float]:
    """Mean Spearman over scans and AUROC of all labels, with the structure and without."""
    figures: dict[str, float] = {}
    scan, clinical = held.of_kind("scan"), held.of_kind("clinical")
    for name, known in (("structure", held.known), ("sequence", np.zeros(len(held), dtype=bool))):
        score, damaging = told_of_sites(head, held, known)
        rho = [
            spearman(score[rows].ravel(), held.value[rows].ravel())
            for rows in _members(held, scan)[0]
        ]
        measured = ~np.isnan(held.value) & clinical[:, None]
        figures[f"scan {name}"] = float(np.nanmean(rho)) if rho else float("nan")
        figures[f"clinical {name}"] = auroc(damaging[measured], held.value[measured])
    return {"loss": 1 - float(np.nanmean(list(figures.values()))), **figures}


def _calibrated(sites: Sites, logit: Values, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    measured = ~np.isnan(sites.value) & chosen[:, None]
    group = sites.rows["group"].to_numpy()[np.nonzero(measured)[0]]
    return platt(logit[measured], sites.value[measured], group)


def _members(sites: Sites, chosen: NDArray[np.bool_]) -> tuple[list[NDArray[np.int64]], list[str]]:
    """Row numbers of each assay among the chosen rows, and the group of each."""
    index = np.flatnonzero(chosen)
    rows = sites.rows.iloc[index]
    members = [index[own] for own in rows.groupby("assay", sort=True).indices.values()]
    return members, [str(sites.rows["group"].iloc[own[0]]) for own in members]


def _ranked(value: Values) -> Values:
    """Values replaced by their ranks, from 0 to 1."""
    known = ~np.isnan(value)
    ranked = np.full_like(value, np.nan)
    if known.any():
        ranked[known] = rankdata(value[known]) / known.sum()
    return ranked
