"""Many variants, one stream: what was asked for in, an `Impact` or a `Failure` each out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from glass_core.errors import Cancelled, GlassError
from glass_core.impact.analyse import analyse
from glass_core.impact.baselines import baselines
from glass_core.impact.provenance import provenance, sha256_of
from glass_core.impact.record import Impact
from glass_core.inputs.lists import VariantRequest
from glass_core.metrics.tmalign import Correspondence
from glass_core.models.predictor import Predictor
from glass_core.progress import UNWATCHED, Watch
from glass_core.protein.protein import Protein
from glass_core.protein.variant import Variant
from glass_core.records import require
from glass_core.remodel.base import Remodelling

CHUNK_RESIDUES = 40_000
"""Residues of mutants that are predicted together; bounds memory, not speed."""


@dataclass(frozen=True)
class Failure:
    """A variant that gave no result.

    Attributes
    ----------
    row : int
        Its number in the input.
    text : str
        As it stood there.
    reason : str
        What was wrong and what to do.
    """

    row: int
    text: str
    reason: str

    def __post_init__(self) -> None:
        require(bool(self.reason), "reason", "is given")


Outcome = Impact | Failure


def screen(
    requests: Iterable[VariantRequest],
    *,
    predictor: Predictor,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    chunk_residues: int = CHUNK_RESIDUES,
) -> Iterator[Outcome]:
    """Predict every variant; one outcome per entry of `requests`, in its order.

    Consecutive variants of one protein are predicted in chunks, which share the embedding of
    the wild type and what its heads tell. Nothing is kept, so memory does not grow with the
    number of variants.

    Parameters
    ----------
    requests : iterable of VariantRequest
        From `inputs.lists`; what could not be read there becomes a `Failure`.
    predictor : Predictor
    progress : callable, optional
        Called with the number of entries done.
    cancelled : callable, optional
        Asked between chunks.

    Raises
    ------
    Cancelled
        `cancelled` answered True.

    Examples
    --------
    >>> from glass_core import Protein, Settings, load_predictor, screen
    >>> from glass_core.inputs.lists import from_text
    >>> protein = Protein.from_sequence("MKTAYIAKQRQISFVKSHFSRQ")
    >>> requests = from_text("K2R I6P W9A", [protein])
    >>> *impacts, failure = screen(requests, predictor=load_predictor(Settings()))
    >>> [impact.variant.text for impact in impacts]
    ['K2R', 'I6P']
    >>> failure.reason
    "variant 'W9A': position 9 is Q, not W; check the numbering or the wild-type sequence."
    """
    done, wild = 0, None
    for chunk in _chunks(requests, chunk_residues):
        if cancelled is not None and cancelled():
            raise Cancelled("The screen was cancelled.")
        if wild is None or wild.protein is not chunk[0].protein:
            wild = _Wild(chunk[0].protein, predictor)
        for outcome in wild.outcomes(chunk):
            done += 1
            yield outcome
        if progress is not None:
            progress(done)


def measure_each(
    requests: Iterable[VariantRequest],
    *,
    predictor: Predictor,
    remodelling: Remodelling,
    correspondence: Correspondence = "tmalign",
    watch: Watch = UNWATCHED,
) -> Iterator[Outcome]:
    """The second stage: remodel and measure what a first stage put on top, one after the other.

    Whatever fails comes back as a `Failure`.

    Raises
    ------
    Cancelled
        That was asked for.
    """
    for request in requests:
        if request.variant is None:
            yield Failure(request.row, request.text, request.reason)
            continue
        try:
            yield analyse(
                request.protein,
                request.variant,
                predictor=predictor,
                mutant=remodelling,
                correspondence=correspondence,
                watch=watch,
            )
        except Cancelled:
            raise
        except GlassError as error:
            yield Failure(request.row, request.text, str(error))


class _Wild:
    """One protein and what is the same for all its variants."""

    def __init__(self, protein: Protein, predictor: Predictor) -> None:
        self.protein = protein
        self._predictor = predictor
        self._provenance = provenance(protein, protein.sequence, {})

    def outcomes(self, chunk: Sequence[VariantRequest]) -> list[Outcome]:
        """The outcomes of some variants of the protein, in their order."""
        variants = [a.variant for a in chunk if a.variant is not None]
        impacts: list[Outcome]
        try:
            impacts = list(self._impacts(variants))
        except GlassError as error:
            if len(chunk) == 1 or not variants:
                impacts = [Failure(a.row, a.text, str(error)) for a in chunk if a.variant]
            else:  # one bad variant must not take the others with it
                return [outcome for request in chunk for outcome in self.outcomes([request])]
        predicted = iter(impacts)
        return [
            Failure(a.row, a.text, a.reason) if a.variant is None else next(predicted)
            for a in chunk
        ]

    def _impacts(self, variants: Sequence[Variant]) -> Iterator[Impact]:
        predictions = self._predictor.predict(self.protein, variants)
        for variant, prediction in zip(variants, predictions, strict=True):
            yield Impact(
                protein=self.protein,
                variant=variant,
                prediction=prediction,
                baselines=baselines(variant, prediction.told),
                replicates=(),
                measurements=(),
                as_published=(),
                noise_floor=None,
                provenance=replace(
                    self._provenance,
                    inputs={**self._provenance.inputs, "mutant_sha256": sha256_of(variant.mutant)},
                ),
            )


def _chunks(requests: Iterable[VariantRequest], residues: int) -> Iterator[list[VariantRequest]]:
    """Consecutive variants of one protein, about `residues` residues of mutants at a time."""
    chunk: list[VariantRequest] = []
    for request in requests:
        full = len(chunk) * len(request.protein) >= residues
        if chunk and (full or chunk[0].protein is not request.protein):
            yield chunk
            chunk = []
        chunk.append(request)
    if chunk:
        yield chunk
