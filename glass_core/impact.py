"""The spine: one protein and one variant in, one `Impact` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glass_core.baselines import Baselines, affordable_background, baselines
from glass_core.errors import Cancelled, InputError, RecordError, RemodelError
from glass_core.metrics.measure import Measurement, measure
from glass_core.metrics.noise import (
    Effect,
    NoiseFloor,
    lddt_effect,
    replicate_mean,
    replicate_sd,
    strain_effect,
)
from glass_core.metrics.secondary import positions_secondary
from glass_core.metrics.subdomains import Subdomain, subdomains
from glass_core.metrics.tmalign import Correspondence
from glass_core.models.prediction import Prediction
from glass_core.models.predictor import Predictor
from glass_core.protein import Protein
from glass_core.provenance import Provenance, provenance
from glass_core.records import require
from glass_core.remodel.base import (
    Remodeller,
    RemodelSettings,
    Replicate,
    structure_substitutions,
)
from glass_core.remodel.file import from_file
from glass_core.structure import Structure
from glass_core.variant import Variant

Progress = Callable[[str, float], None]
"""Called with (stage in words, fraction of the whole done)."""


@dataclass(frozen=True, eq=False)
class Impact:
    """All that is known about one variant; the one record that reports and pages read.

    Tracks have one value per wild-type position, shape=(L,); NaN = no value.

    Attributes
    ----------
    protein : Protein
    variant : Variant
    prediction : Prediction
        From sequences alone.
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
    def measured(self) -> bool:
        """Whether there are mutant structures to measure."""
        return bool(self.measurements)

    @property
    def predicted_lddt(self) -> NDArray[np.float64]:
        """Predicted lDDT track."""
        return self.prediction.lddt

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
    def effect(self) -> Effect | None:
        """Measured lDDT deficit above the floor, per structure residue; None without a floor."""
        if self.noise_floor is None:
            return None
        return lddt_effect(self.measurements, self.noise_floor)

    @cached_property
    def strain_effect(self) -> Effect | None:
        """Effective strain above the floor, per structure residue; None without a floor."""
        if self.noise_floor is None:
            return None
        return strain_effect(self.measurements, self.noise_floor)

    @cached_property
    def deficit(self) -> NDArray[np.float64]:
        """1 - lDDT: measured where there is a measurement, else predicted."""
        return 1 - (self.measured_lddt if self.measured else self.predicted_lddt)

    @cached_property
    def secondary_structure(self) -> str:
        """Per position H, E or C from the wild-type structure, ``-`` without coordinates."""
        return positions_secondary(self.protein)

    def site_label(self, position: int) -> str:
        """``V31P`` for a substituted position, else residue and position."""
        for change in self.variant.changes:
            if change.is_substitution and change.position == position:
                return f"{change.wild}{position}{change.mutant}"
        return f"{self.protein.sequence[position - 1]}{position}"

    @cached_property
    def subdomains(self) -> tuple[Subdomain, ...]:
        """Parts of the fold, most affected first: by strain where measured, else by `deficit`."""
        if self.protein.structure is None:
            return subdomains(self.deficit, self.variant.positions)
        return subdomains(
            self.deficit, self.variant.positions, self.secondary_structure, self.protein.ca,
            self.strain if self.measured else None,
        )

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """Everything a reader should know before trusting the numbers, one sentence each."""
        flags = [*self.prediction.flags]
        structure = self.protein.structure
        if structure is None:
            flags.append("No structure: nothing is measured and no 3D view is possible.")
            return tuple(flags)
        if self.protein.coverage < 1:
            flags.append(
                f"{int((~self.protein.covered).sum())} of {len(self.protein)} positions have no "
                "coordinates and no measured value."
            )
        mismatches = self.protein.mismatches
        if mismatches:
            flags.append(
                f"Sequence and structure differ at {len(mismatches)} position(s), the sequence is "
                f"followed: {'; '.join(map(str, mismatches[:3]))}"
                f"{'; ...' if len(mismatches) > 3 else ''}."
            )
        flags += structure.notes
        touching = [
            f"{self.site_label(p)} ({chains})" for p in self.variant.positions
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
        if self.measured and self.noise_floor is None:
            flags.append("The mutant structure was given: there is no noise floor to compare with.")
        return tuple(flags)

    def _mean_track(self, tracks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return self.protein.track(replicate_mean(tracks)) if tracks else self._nothing()

    def _nothing(self) -> NDArray[np.float64]:
        return np.full(len(self.protein), np.nan)


def analyse(
    protein: Protein,
    variant: Variant,
    *,
    predictor: Predictor,
    remodeller: Remodeller | None = None,
    settings: RemodelSettings | None = None,
    seeds: int | Sequence[int] = 1,
    mutant_structure: Structure | None = None,
    correspondence: Correspondence = "tmalign",
    background: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Impact:
    """Analyse one variant: predict, optionally remodel, measure.

    Parameters
    ----------
    protein : Protein
        The wild type; with a structure where the mutant is to be remodelled.
    variant : Variant
        Of `protein.sequence`.
    predictor : Predictor
        See `models.registry.load_predictor`.
    remodeller : Remodeller, optional
        See `remodel.get_remodeller`; each seed also gives the noise floor.
    settings : RemodelSettings, optional
        Protocol of the remodeller.
    seeds : int or sequence of int
        How many replicates (seeds 1, 2, ...), or their seeds.
    mutant_structure : Structure, optional
        A mutant structure of the user's own, in place of a remodel.
    background : int, optional
        Random variants to rank against; by default as many as the model can
        afford.
    progress : callable, optional
        Called with (stage, fraction done).
    cancelled : callable, optional
        Asked between and during stages.

    Raises
    ------
    InputError
        Inputs that do not belong together.
    RemodelError
        Remodelling failed or was asked for what it cannot do.
    Cancelled
        `cancelled` answered True.
    """
    if variant.wild_type != protein.sequence:
        raise InputError("variant: belongs to another sequence than the protein's.")
    if (remodeller or mutant_structure) and protein.structure is None:
        raise RemodelError(
            "remodelling needs a wild-type structure; give a structure file of this protein."
        )
    if remodeller and mutant_structure:
        raise InputError("give either a remodeller or a mutant structure, not both.")
    tell = progress or (lambda stage, fraction: None)
    settings = settings or RemodelSettings()
    seed_list = tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(seeds)
    if remodeller and not seed_list:
        raise InputError("seeds: at least one is needed to remodel.")

    tell("predicting", 0.02)
    prediction = predictor.predict([variant])[0]
    _stop_if(cancelled)
    tell("ranking against other substitutions", 0.05)
    if background is None:
        background = affordable_background(predictor.info, len(protein))
    ranks = baselines(variant, predictor, background)
    _stop_if(cancelled)

    replicates: tuple[Replicate, ...] = ()
    protocol: dict[str, str] = {}
    if mutant_structure is not None and protein.structure is not None:
        replicates = (from_file(protein.structure, mutant_structure, variant),)
        protocol = {"mutant_structure": mutant_structure.name}
    elif remodeller is not None:
        replicates = _remodel(protein, variant, remodeller, settings, seed_list, tell, cancelled)
        protocol = {
            "remodeller": remodeller.version(),
            "seeds": ",".join(map(str, seed_list)),
            **{key: str(value) for key, value in settings.to_dict().items()},
        }
    tell("measuring", 0.95)
    measurements, published, floor = _measure(protein, replicates, correspondence)
    impact = Impact(
        protein=protein,
        variant=variant,
        prediction=prediction,
        baselines=ranks,
        replicates=replicates,
        measurements=measurements,
        as_published=published,
        noise_floor=floor,
        provenance=provenance(protein, variant.mutant, protocol),
    )
    tell("done", 1.0)
    return impact


def _remodel(
    protein: Protein,
    variant: Variant,
    remodeller: Remodeller,
    settings: RemodelSettings,
    seeds: tuple[int, ...],
    tell: Progress,
    cancelled: Callable[[], bool] | None,
) -> tuple[Replicate, ...]:
    structure = protein.structure
    if structure is None:
        raise RecordError("structure: violates the rule that remodelling has one.")
    substitutions = structure_substitutions(
        variant, dict(enumerate(map(int, protein.structure_index)))
    )
    made = []
    for number, seed in enumerate(seeds):
        _stop_if(cancelled)

        def stage(words: str, fraction: float, number: int = number, seed: int = seed) -> None:
            done = (number + fraction) / len(seeds)
            tell(f"seed {seed} ({number + 1} of {len(seeds)}): {words}", 0.1 + 0.85 * done)

        made.append(
            remodeller.remodel(structure, substitutions, settings, seed, stage, cancelled)
        )
    return tuple(made)


def _measure(
    protein: Protein, replicates: tuple[Replicate, ...], correspondence: Correspondence
) -> tuple[tuple[Measurement, ...], tuple[Measurement, ...], NoiseFloor | None]:
    given = protein.structure
    if given is None or not replicates:
        return (), (), None
    paired = tuple(
        measure(r.reference, r.mutant, correspondence=correspondence) for r in replicates
    )
    published = tuple(measure(given, r.mutant, correspondence=correspondence) for r in replicates)
    floors = tuple(
        measure(r.reference, r.floor, correspondence=correspondence)
        for r in replicates
        if r.floor is not None
    )
    return paired, published, NoiseFloor(floors) if len(floors) == len(replicates) else None


def _stop_if(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("The analysis was cancelled.")
