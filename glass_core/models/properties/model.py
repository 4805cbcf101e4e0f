"""The model of properties: an embedder, the joint encoder, and heads over both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from glass_core.embedders.base import Embedder
from glass_core.embedders.joint import JointEmbedder, Sites
from glass_core.models.heads.binding import BindingHead, changed_residues
from glass_core.models.heads.classes import ClassesHead
from glass_core.models.heads.pooled_network import FEWEST_KNOWN, Read
from glass_core.models.heads.scalar import ScalarHead
from glass_core.models.prediction import ModelInfo
from glass_core.models.properties.base import (
    SURE,
    Attribution,
    Properties,
    PropertyChange,
    PropertyValue,
    change_of,
)
from glass_core.models.properties.kinds import PROPERTIES, PropertyKind
from glass_core.models.properties.reading import read_chains
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import STANDARD
from glass_core.protein.variant import Variant

LISTED = 5
"""Classes that are told of a protein, at most."""
FEWEST_RESIDUES = 40
"""Of a protein of which anything is told: hardly a shorter one took part in the training."""
FEWEST_LETTERS = 8
"""Kinds of residues, likewise."""
MOST_RESIDUES = 5_000
"""Of a structure that is read: every pair of its residues is looked at."""
TOUCHING = 12.0
"""Å between C-alphas within which a changed residue is near a partner."""


class PropertyModel:
    """Tells properties of proteins.

    Attributes
    ----------
    info : ModelInfo
    heads : dict
        Name -> network.
    """

    def __init__(
        self,
        embedder: Embedder,
        joint: JointEmbedder | None,
        heads: Mapping[str, nn.Module],
        info: ModelInfo,
    ) -> None:
        self._embedder, self._joint = embedder, joint
        self.heads, self.info = dict(heads), info

    def tell(self, protein: Protein, variant: Variant | None = None) -> Properties:
        """All that its heads tell of a protein, and what a variant changes.

        The structure is read where the variant leaves every residue its place; the mutant is
        read on the wild type's backbone.
        """
        shortest = len(protein) if variant is None else min(len(protein), len(variant.mutant))
        if shortest < FEWEST_RESIDUES:
            why = f"Nothing is told of proteins under {FEWEST_RESIDUES} residues: few were seen."
            return Properties((), notes=(why,))
        if len(set(protein.sequence) & set(STANDARD)) < FEWEST_LETTERS:
            why = f"Nothing is told of sequences of fewer than {FEWEST_LETTERS} kinds of residues."
            return Properties((), notes=(why,))
        notes = []
        shifted = variant is not None and not variant.only_substitutions
        if shifted:
            notes.append(
                "Noise was measured with substitutions alone: of residues that are put in or taken "
                "out, no difference can be told from none."
            )
        sites = sites_of(protein)
        if sites is not None and shifted:
            sites = None
            notes.append("The structure was not read: the variant inserts or deletes residues.")
        if sites is not None and len(sites) > MOST_RESIDUES:
            sites = None
            notes.append(f"The structure was not read: over {MOST_RESIDUES:,} residues.")
        wild = self.read(protein.sequence, sites)
        mutant = None if variant is None else self.read(variant.mutant, sites)
        values: list[PropertyValue] = []
        changes: list[PropertyChange] = []
        attributions: list[Attribution] = []
        for kind in PROPERTIES:
            head = self.heads.get(kind.head)
            if isinstance(head, ClassesHead):
                told, changed, places = _classes(kind, head, wild, mutant)
                attributions += places
            elif isinstance(head, ScalarHead):
                if kind.needs_structure and wild.joint is None:
                    continue
                told, changed = _scalar(kind, head, wild, mutant)
            elif isinstance(head, BindingHead) and variant is not None and mutant is not None:
                told = []
                changed = self._binding(kind, head, protein, variant, wild, mutant, notes)
            else:
                continue
            values += told
            changes += changed
        if shifted:
            changes = [replace(one, noise=math.nan) for one in changes]
        return Properties(
            tuple(values), tuple(changes), tuple(attributions), wild.joint is not None, tuple(notes)
        )

    def read(self, sequence: str, sites: Sites | None) -> Read:
        """What the encoders make of a sequence, and of its structure where there is one.

        Parameters
        ----------
        sites : Sites, optional
            One for each letter.
        """
        embedded = self._embedder.embed([sequence])[0].residues.float().cpu()
        known = np.zeros(len(sequence), dtype=bool) if sites is None else sites.known
        if self._joint is None or sites is None or known.sum() < FEWEST_KNOWN:
            return Read(embedded, None, np.zeros(len(sequence), dtype=bool))
        return Read(embedded, self._joint.read(sites, embedded), known)

    def _binding(
        self,
        kind: PropertyKind,
        head: BindingHead,
        protein: Protein,
        variant: Variant,
        wild: Read,
        mutant: Read,
        notes: list[str],
    ) -> list[PropertyChange]:
        """The change of binding, from the residues alone, as they were read, and in the complex."""
        structure, joint, sites = protein.structure, self._joint, sites_of(protein)
        if structure is None or structure.partners is None or joint is None or sites is None:
            return []
        if wild.joint is None or mutant.joint is None:
            return []
        places = np.array([change.position - 1 for change in variant.changes])
        places = places[sites.known[places]]
        ca = structure.partners.ca
        near = [np.linalg.norm(ca - sites.coordinates[p, 1], axis=1).min() for p in places]
        if not len(places) or min(near) > TOUCHING:
            notes.append("Binding was not told: no changed residue lies near another chain.")
            return []
        both, letters = with_partners(protein, sites)
        if len(both) > MOST_RESIDUES:
            notes.append(f"Binding was not told: over {MOST_RESIDUES:,} residues lie beside.")
            return []
        complexed = [
            read_chains(self._embedder, joint, [sequence, *letters], both)[places]
            for sequence in (protein.sequence, variant.mutant)
        ]
        alone = wild.joint[places], mutant.joint[places]
        told = changed_residues((complexed[0], complexed[1]), alone)
        with torch.inference_mode():
            members = head(told).sum(dim=1).double().numpy()
        middle, spread = float(members.mean()), SURE * float(members.std())
        return [
            PropertyChange(
                kind.head,
                kind.title,
                kind.unit,
                float("nan"),
                float("nan"),
                middle,
                middle - spread,
                middle + spread,
                head.config.noise,
            )
        ]


def sites_of(protein: Protein) -> Sites | None:
    """The residues of a protein as the joint encoder takes them; None without a structure."""
    structure = protein.structure
    if structure is None:
        return None
    length = len(protein)
    coordinates = np.full((length, 3, 3), np.nan, dtype=np.float32)
    covered = protein.covered
    rows = protein.structure_index[covered]
    coordinates[covered] = structure.backbone.coordinates[rows, :3]
    return Sites(coordinates, np.arange(length), np.zeros(length, dtype=np.int64))


def with_partners(protein: Protein, own: Sites) -> tuple[Sites, list[str]]:
    """A protein's residues and those of the chains beside it; the letters of each of these."""
    partners = protein.structure.partners if protein.structure is not None else None
    if partners is None:
        return own, []
    names = list(dict.fromkeys(partners.chains))
    order = np.concatenate([np.flatnonzero(np.array(partners.chains) == n) for n in names])
    number = {name: place for place, name in enumerate(names, start=1)}
    chains = np.array([number[partners.chains[row]] for row in order])
    every = np.array(list(partners.letters))
    letters = ["".join(every[np.array(partners.chains) == name]) for name in names]
    both = Sites(
        np.concatenate([own.coordinates, partners.coordinates[order, :3]]),
        np.concatenate([own.numbers, partners.numbers[order]]),
        np.concatenate([own.chains, chains]),
    )
    return both, letters


def _classes(
    kind: PropertyKind, head: ClassesHead, wild: Read, mutant: Read | None
) -> tuple[list[PropertyValue], list[PropertyChange], list[Attribution]]:
    """The classes that a head calls, the likeliest first; the likeliest alone where it calls none.

    Those that it calls of the mutant are told, too.
    """
    members = head.chances(wild)
    other = None if mutant is None else head.chances(mutant)
    chance = members.mean(axis=0)
    likely = chance if other is None else np.maximum(chance, other.mean(axis=0))
    order = np.argsort(-likely)[:LISTED]
    called = [int(k) for k in order if likely[k] >= head.config.threshold] or [int(order[0])]
    values, changes, places = [], [], []
    noise = head.config.noise_of(len(wild.known))
    for label in called:
        value = _chance(kind, head.config.called(label), members[:, label])
        values.append(value)
        places.append(Attribution(kind.head, value.name, head.attribution(wild, label)))
        if other is not None:
            changes.append(change_of(value, members[:, label], other[:, label], noise))
    return values, changes, places


def _chance(kind: PropertyKind, label: str, members: NDArray[np.float64]) -> PropertyValue:
    middle, spread = float(members.mean()), SURE * float(members.std())
    low, high = max(middle - spread, 0.0), min(middle + spread, 1.0)
    return PropertyValue(kind.head, f"{kind.prefix}{label}", kind.unit, middle, low, high)


def _scalar(
    kind: PropertyKind, head: ScalarHead, wild: Read, mutant: Read | None
) -> tuple[list[PropertyValue], list[PropertyChange]]:
    members = head.values(wild)
    middle, within = float(members.mean()), head.config.within
    low, high = middle - within, middle + within
    if head.config.bounded:
        low, high = max(low, 0.0), min(high, 1.0)
    value = PropertyValue(kind.head, kind.title, kind.unit, middle, low, high)
    if mutant is None:
        return [value], []
    noise = head.config.noise_of(len(wild.known))
    return [value], [change_of(value, members, head.values(mutant), noise)]
