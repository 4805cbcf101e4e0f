"""The spine: one protein and one variant in, one `Impact` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from glass_core.errors import InputError, RemodelError
from glass_core.impact.baselines import baselines, predicted_baselines
from glass_core.impact.provenance import provenance
from glass_core.impact.record import Impact
from glass_core.metrics.measure import Measurement, measure
from glass_core.metrics.noise import NoiseFloor
from glass_core.metrics.tmalign import Correspondence
from glass_core.models.predictor import Predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.protein import Protein
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.remodel.base import Remodelling, RemodelRequest, Replicate, structure_substitutions
from glass_core.remodel.file import from_file


def analyse(
    protein: Protein,
    variant: Variant,
    *,
    predictor: Predictor,
    mutant: Remodelling | Structure | None = None,
    correspondence: Correspondence = "tmalign",
    background: int = 0,
    watch: Watch = UNWATCHED,
) -> Impact:
    """Analyse one variant: predict, optionally remodel, measure.

    Parameters
    ----------
    protein : Protein
        The wild type; with a structure where the mutant is to be measured.
    variant : Variant
        Of `protein.sequence`.
    predictor : Predictor
        See `models.registry.load_predictor`.
    mutant : Remodelling or Structure, optional
        How to come by the mutant's structure: it is remodelled, each seed also giving the
        noise floor, or it is one of the user's own. Without it nothing is measured.
    correspondence : {"tmalign", "sequence"}
        What pairs the residues that are measured.
    background : int
        Random variants to predict and to rank this one among, beside its site's other
        substitutions; see `baselines.affordable_background`. By default none: ranks are
        those of the model's estimate head, where it has one.
    watch : Watch, optional
        Who is told the stages, and may stop the work.

    Raises
    ------
    InputError
        Inputs that do not belong together.
    RemodelError
        Remodelling failed or was asked for what it cannot do.
    Cancelled
        That was asked for.

    Examples
    --------
    >>> from glass_core import Protein, Settings, Variant, analyse, load_predictor
    >>> protein = Protein.from_sequence("MKTAYIAKQRQISFVKSHFSRQ")
    >>> variant = Variant.parse("I6P", protein.sequence)
    >>> impact = analyse(protein, variant, predictor=load_predictor(Settings()))
    >>> 0 < impact.prediction.tm_score < 1 and impact.baselines.blosum62 == -3
    True
    >>> impact.measured  # without a structure nothing is
    False
    """
    if variant.wild_type != protein.sequence:
        raise InputError("variant: belongs to another sequence than the protein's.")
    if mutant is not None:
        _need_structure(protein)
    watch.tell("predicting", 0.02)
    prediction = predictor.predict(protein, [variant])[0]
    watch.stop_if_cancelled("The analysis")
    ranks = baselines(variant, prediction.told)
    if background:
        watch.tell("ranking against other substitutions", 0.05)
        ranks = predicted_baselines(protein, variant, predictor, background)
    watch.stop_if_cancelled("The analysis")
    impact = Impact(
        protein=protein,
        variant=variant,
        prediction=prediction,
        baselines=ranks,
        replicates=(),
        measurements=(),
        as_published=(),
        noise_floor=None,
        provenance=provenance(protein, variant.mutant, {}),
    )
    if mutant is not None:
        impact = measured(impact, mutant, correspondence=correspondence, watch=watch.part(0.1, 1.0))
    watch.tell("done", 1.0)
    return impact


def measured(
    impact: Impact,
    mutant: Remodelling | Structure,
    *,
    correspondence: Correspondence = "tmalign",
    watch: Watch = UNWATCHED,
) -> Impact:
    """The same analysis with the mutant's structure measured; nothing is predicted again.

    Parameters
    ----------
    impact : Impact
        What it measured before is left out.
    mutant, correspondence, watch
        As of `analyse`.

    Raises
    ------
    RemodelError
        Remodelling failed or was asked for what it cannot do.
    Cancelled
        That was asked for.
    """
    protein, variant = impact.protein, impact.variant
    wild = _need_structure(protein)
    if isinstance(mutant, Structure):
        replicates: tuple[Replicate, ...] = (from_file(wild, mutant, variant, protein.label),)
        protocol = {"mutant_structure": mutant.name}
    else:
        substitutions = structure_substitutions(
            variant, dict(enumerate(map(int, protein.structure_index))), protein.label
        )
        replicates = _remodel(wild, substitutions, mutant, watch)
        protocol = mutant.protocol()
    watch.tell("measuring", 0.98)
    measurements, published, floor = _measure(protein, replicates, correspondence)
    return replace(
        impact,
        replicates=replicates,
        measurements=measurements,
        as_published=published,
        noise_floor=floor,
        provenance=provenance(protein, variant.mutant, protocol),
    )


def _need_structure(protein: Protein) -> Structure:
    if protein.structure is None:
        raise RemodelError(
            "remodelling needs a wild-type structure; give a structure file of this protein."
        )
    return protein.structure


def _remodel(
    wild: Structure, substitutions: Mapping[int, str], remodelling: Remodelling, watch: Watch
) -> tuple[Replicate, ...]:
    """One replicate per seed."""
    seeds, replicates = remodelling.seed_list, []
    for number, seed in enumerate(seeds):
        watch.stop_if_cancelled("The analysis")

        def stage(words: str, fraction: float, number: int = number, seed: int = seed) -> None:
            done = (number + fraction) / len(seeds)
            watch.tell(f"seed {seed} ({number + 1} of {len(seeds)}): {words}", 0.98 * done)

        request = RemodelRequest(wild, substitutions, remodelling.settings, seed)
        replicates.append(remodelling.remodeller.remodel(request, Watch(stage, watch.cancelled)))
    return tuple(replicates)


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
