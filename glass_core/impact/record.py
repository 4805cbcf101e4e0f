"""The spine: one protein and one variant in, one `Impact` out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.ambiguity import also_by_author
from glass_core.impact.baselines import Baselines
from glass_core.impact.checks.base import Check
from glass_core.impact.checks.run import structural_checks
from glass_core.impact.evidence import Evidence
from glass_core.impact.gather import gather
from glass_core.impact.provenance import Provenance
from glass_core.metrics.measure import Measurement
from glass_core.metrics.noise import (
    AboveFloor,
    NoiseFloor,
    deficit_above_floor,
    replicate_mean,
    replicate_sd,
    strain_above_floor,
)
from glass_core.metrics.secondary import positions_secondary
from glass_core.metrics.subdomains import Subdomain, subdomains
from glass_core.models.prediction import Prediction
from glass_core.protein.protein import Protein
from glass_core.protein.structure.bonds import bonded_ligands, metal_sites
from glass_core.protein.variant import Variant
from glass_core.records import require
from glass_core.remodel.base import Replicate


@dataclass(frozen=True, eq=False)
class Impact:
    """All that is known about one variant; the one record that reports and pages read.

    Tracks have one value per wild-type position, shape=(L,); NaN = no value.

    Attributes
    ----------
    protein : Protein
    variant : Variant
    prediction : Prediction
        What the model's heads say, and the alignment where there is one.
    baselines : Baselines
    replicates : tuple of Replicate
        Remodelled structures, one per seed; empty without remodelling.
    measurements : tuple of Measurement
        One per replicate, its reference against its mutant (paired).
    as_published : tuple of Measurement
        One per replicate, the structure as given against the mutant: the
        paper's own comparison, which also counts what the protocol itself moves.
    noise_floor : NoiseFloor or None
    provenance : Provenance
    """

    protein: Protein
    variant: Variant
    prediction: Prediction
    baselines: Baselines
    replicates: tuple[Replicate, ...]
    measurements: tuple[Measurement, ...]
    as_published: tuple[Measurement, ...]
    noise_floor: NoiseFloor | None
    provenance: Provenance

    def __post_init__(self) -> None:
        require(self.variant.wild_type == self.protein.sequence, "variant", "is of this protein")
        require(len(self.prediction.lddt) == len(self.protein), "prediction", "is of this protein")
        require(len(self.measurements) == len(self.replicates), "measurements", "match replicates")
        require(len(self.as_published) == len(self.replicates), "as_published", "match replicates")

    @property
    def written(self) -> str:
        """The variant in the user's numbers."""
        return self.protein.written(self.variant)

    @property
    def measured(self) -> bool:
        """Whether there are mutant structures to measure."""
        return bool(self.measurements)

    @property
    def predicted_lddt(self) -> NDArray[np.float64]:
        """Predicted lDDT track."""
        return self.prediction.lddt

    @property
    def predicted_change(self) -> NDArray[np.float64] | None:
        """Predicted mean change of distances to neighbours within 15 Å, in Å; None without one."""
        return self.prediction.tracks.get("local_change")

    @property
    def flexibility(self) -> NDArray[np.float64] | None:
        """The same without any substitution: how loose each residue is; None without one."""
        return self.prediction.tracks.get("flexibility")

    @property
    def conservation(self) -> NDArray[np.float64] | None:
        """0 to 1 by the alignment of homologues; None without one that is counted."""
        profile = self.protein.profile
        return profile.conservation if profile is not None and profile.usable else None

    @property
    def tm_score(self) -> float:
        """Measured TM-score, mean over replicates; NaN when nothing was measured."""
        scores = [m.alignment.tm_score for m in self.measurements]
        return float(np.mean(scores)) if scores else float("nan")

    @property
    def tm_score_sd(self) -> float:
        """Standard deviation over replicates; NaN with fewer than two."""
        scores = [m.alignment.tm_score for m in self.measurements]
        return float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")

    @cached_property
    def measured_lddt(self) -> NDArray[np.float64]:
        """Measured lDDT track, mean over replicates."""
        return self._mean_track([m.lddt for m in self.measurements])

    @cached_property
    def measured_lddt_sd(self) -> NDArray[np.float64]:
        """Standard deviation of the measured lDDT over replicates."""
        if not self.measured:
            return self._nothing()
        return self.protein.track(replicate_sd([m.lddt for m in self.measurements]))

    @cached_property
    def published_lddt(self) -> NDArray[np.float64]:
        """lDDT of the mutants against the structure as given, mean over replicates."""
        return self._mean_track([m.lddt for m in self.as_published])

    @cached_property
    def strain(self) -> NDArray[np.float64]:
        """Effective strain track, mean over replicates."""
        return self._mean_track([m.strain for m in self.measurements])

    @cached_property
    def distance_change(self) -> NDArray[np.float64]:
        """Local distance difference track in Å, mean over replicates."""
        return self._mean_track([m.distance_change for m in self.measurements])

    @cached_property
    def floor_lddt(self) -> NDArray[np.float64]:
        """lDDT track of the noise floor."""
        floor = self.noise_floor
        return self._nothing() if floor is None else self.protein.track(floor.lddt)

    @cached_property
    def floor_strain(self) -> NDArray[np.float64]:
        """Strain track of the noise floor."""
        floor = self.noise_floor
        return self._nothing() if floor is None else self.protein.track(floor.strain)

    @cached_property
    def deficit_above_floor(self) -> AboveFloor | None:
        """Measured lDDT deficit above the floor, per structure residue; None without a floor."""
        if self.noise_floor is None:
            return None
        return deficit_above_floor(self.measurements, self.noise_floor)

    @cached_property
    def strain_above_floor(self) -> AboveFloor | None:
        """Effective strain above the floor, per structure residue; None without a floor."""
        if self.noise_floor is None:
            return None
        return strain_above_floor(self.measurements, self.noise_floor)

    @cached_property
    def deficit(self) -> NDArray[np.float64]:
        """1 - lDDT: measured where there is a measurement, else predicted."""
        return 1 - (self.measured_lddt if self.measured else self.predicted_lddt)

    @property
    def deficit_basis(self) -> Literal["measured", "predicted"]:
        """What `deficit` is made of."""
        return "measured" if self.measured else "predicted"

    @cached_property
    def secondary_structure(self) -> str:
        """Per position H, E or C from the wild-type structure, ``-`` without coordinates."""
        return positions_secondary(self.protein)

    def site_label(self, position: int) -> str:
        """``V31P`` for a substituted position, else residue and number, as the user counts."""
        for change in self.variant.changes:
            if change.is_substitution and change.position == position:
                return f"{self.protein.named(position)}{change.mutant}"
        return self.protein.named(position)

    @cached_property
    def subdomains(self) -> tuple[Subdomain, ...]:
        """Parts of the fold, most affected first.

        By strain where measured, else by `predicted_change`, else by `deficit`.
        """
        if self.protein.structure is None:
            return subdomains(self.deficit, self.variant.positions, label=self.protein.label)
        return subdomains(
            self.deficit,
            self.variant.positions,
            self.secondary_structure,
            self.protein.ca,
            self.strain if self.measured else None,
            self.predicted_change,
            self.protein.label,
        )

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """What each source at hand says of the variant."""
        return gather(self.protein, self.variant, self.prediction)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """What may explain an effect: structural checks of each substitution."""
        return structural_checks(self.protein, self.variant)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Everything a reader should know before trusting the numbers, one sentence each."""
        flags = [*self.prediction.flags]
        structure = self.protein.structure
        if structure is None:
            flags.append("No structure: nothing is measured and no 3D view is possible.")
            flags += self.protein.notes
            return tuple(flags)
        flags += filter(None, [also_by_author(self.protein, self.variant)])
        if self.protein.coverage < 1:
            flags.append(
                f"{int((~self.protein.covered).sum())} of {len(self.protein)} positions have no "
                "coordinates and no measured value."
            )
        unseen = [
            self.site_label(p) for p in self.variant.positions if not self.protein.covered[p - 1]
        ]
        if unseen:
            flags.append(
                f"{', '.join(unseen[:5])} has no coordinates: it is told of by the sequence, and "
                "ranked among substitutions most of which are told of by the structure."
            )
        breaks = int((np.diff(structure.backbone.numbers) > 1).sum())
        if breaks and self.protein.sequence == structure.sequence:
            flags.append(
                f"The sequence is the structure's own, which lacks residues at {breaks} place(s): "
                "what stands side by side there does not in the protein. Give the whole sequence."
            )
        mismatches = self.protein.mismatches
        if mismatches:
            flags.append(
                f"Sequence and structure differ at {len(mismatches)} position(s), the sequence is "
                f"followed: {'; '.join(map(str, mismatches[:3]))}"
                f"{'; ...' if len(mismatches) > 3 else ''}."
            )
        flags += self.protein.notes
        spare = len(structure) - int(self.protein.covered.sum())
        if spare:
            flags.append(
                f"{spare} residue(s) of the structure have no place in the sequence and were left "
                "out, such as a tag's."
            )
        touching = [
            f"{self.site_label(p)} ({chains})"
            for p in self.variant.positions
            if (chains := self.protein.contacts(p - 1))
        ]
        if touching:
            flags.append(
                f"Touches other chains: {'; '.join(touching[:5])}. They are not part of the "
                "prediction or the remodel; what changes between chains is not seen."
            )
        if self.replicates and self.noise_floor is not None and structure.ligands is not None:
            names = ", ".join(sorted({str(n) for n in structure.ligands.res_name}))
            flags.append(f"Ligands ({names}) and other chains were left out of the remodel.")
            metals = ", ".join(site.metal for site in metal_sites(structure))
            if metals:
                flags.append(f"The atoms that hold {metals} were kept at their distances.")
            bonded = "; ".join(bonded_ligands(structure)[:5])
            if bonded:
                flags.append(f"Bonded to the chain and missing in the remodel: {bonded}.")
        if self.measured and self.noise_floor is None:
            flags.append("The mutant structure was given: there is no noise floor to compare with.")
        return tuple(flags)

    def _mean_track(self, tracks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return self.protein.track(replicate_mean(tracks)) if tracks else self._nothing()

    def _nothing(self) -> NDArray[np.float64]:
        return np.full(len(self.protein), np.nan)
