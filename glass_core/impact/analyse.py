"""The spine: one protein and one variant in, one `Impact` out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glass_core.errors import Cancelled, InputError, RecordError, RemodelError
from glass_core.impact.baselines import affordable_background, baselines
from glass_core.impact.provenance import provenance
from glass_core.impact.record import Impact
from glass_core.metrics.measure import Measurement, measure
from glass_core.metrics.noise import NoiseFloor
from glass_core.metrics.tmalign import Correspondence
from glass_core.models.predictor import Predictor
from glass_core.progress import Stage
from glass_core.protein.protein import Protein
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.remodel.base import Remodeller, RemodelSettings, Replicate, structure_substitutions
from glass_core.remodel.file import from_file


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
    progress: Stage | None = None,
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
    tell: Stage,
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

        made.append(remodeller.remodel(structure, substitutions, settings, seed, stage, cancelled))
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
