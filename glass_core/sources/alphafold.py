"""AlphaFold DB: the model of a sequence, its confidence, its predicted aligned error, and the
alignment of homologues it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import NotFoundError, SourceError
from glass_core.protein.accession import Accession
from glass_core.protein.annotation import Annotation
from glass_core.records import require
from glass_core.sources.answers import dig, first, letters, objects, text, whole
from glass_core.sources.fetch import Answer, Fetcher

SERVICE = "AlphaFold DB"
LONGEST = 2700
"""Residues; longer proteins have no single model there."""
_MAX_PAE = 255.0


@dataclass(frozen=True)
class Model:
    """One model of the database.

    Attributes
    ----------
    id : str
        Such as ``AF-P04637-F1``.
    version : int or None
    provider : str
    start : int
        UniProt position of the model's first residue; the file counts from 1.
    length : int
    mean_plddt : float
        0 to 100; NaN where the answer does not tell.
    structure_url, pae_url : str
        From the answer; `pae_url` is '' where there is none.
    alignment_url : str
        Of the alignment of homologues (A3M) that the model was made from; '' where none is told.
    substitutions_url : str
        Of AlphaMissense's table of substitutions; '' for all but canonical human proteins.
    """

    id: str
    version: int | None
    provider: str
    start: int
    length: int
    mean_plddt: float
    structure_url: str
    pae_url: str
    alignment_url: str = ""
    substitutions_url: str = ""

    def __post_init__(self) -> None:
        require(bool(self.structure_url), "structure_url", "is given")
        require(self.start >= 1 and self.length >= 1, "start", "and length are 1 or more")

    def __str__(self) -> str:
        version = "" if self.version is None else f" version {self.version}"
        return f"{self.id}{version}"

    @property
    def alignment_name(self) -> str:
        """What the file of the alignment is called."""
        return f"{self.id}-msa.a3m"


def model(accession: Accession, sequence: str, fetcher: Fetcher) -> tuple[Model, Answer]:
    """The model of `sequence`, or of a stretch of it: record ``AF-{accession}-F1``.

    Raises
    ------
    NotFoundError
        There is none, or only of other isoforms or sequences.
    SourceError
        It cannot be asked, or answers what cannot be used.
    """
    try:
        answer = fetcher.get(f"{fetcher.settings.alphafold}/api/prediction/{accession}")
    except NotFoundError as error:
        long = f" Proteins over {LONGEST:,} residues have none." if len(sequence) > LONGEST else ""
        raise NotFoundError(f"AlphaFold DB has no model of {accession}.{long}") from error
    return choose(answer.json(), accession, sequence), answer


def choose(answer: Any, accession: Accession, sequence: str) -> Model:
    """The record of a prediction answer that models `sequence`.

    Answers mix isoforms and other providers' models, so that the first may be another
    protein. Old and new names of fields are read.

    Raises
    ------
    NotFoundError
        No record fits; the message says what there was.
    """
    wanted = f"AF-{accession}-F1"
    seen: list[str] = []
    for record in objects({"records": answer}, "records"):
        name = text(record, "modelEntityId") or text(record, "entryId")
        if wanted not in (name, text(record, "entryId")):
            seen.append(name or "a record without a name")
            continue
        url = text(record, "cifUrl")
        own = letters({"s": first(record, "uniprotSequence", "sequence")}, "s")
        start = whole({"start": first(record, "uniprotStart", "sequenceStart")}, "start") or 1
        if not own or own != sequence[start - 1 : start - 1 + len(own)]:
            seen.append(f"{name} of another sequence ({len(own)} residues)")
            continue
        if not url:
            seen.append(f"{name} without an mmCIF file")
            continue
        plddt = dig(record, "globalMetricValue")
        return Model(
            id=wanted,
            version=whole(record, "latestVersion"),
            provider=text(record, "providerId") or text(record, "toolUsed"),
            start=start,
            length=len(own),
            structure_url=url,
            pae_url=text(record, "paeDocUrl"),
            alignment_url=text(record, "msaUrl"),
            substitutions_url=text(record, "amAnnotationsUrl"),
            mean_plddt=float(plddt) if isinstance(plddt, int | float) else float("nan"),
        )
    others = f"; it has {', '.join(seen[:4])}" if seen else ""
    long = f" Proteins over {LONGEST:,} residues have none." if len(sequence) > LONGEST else ""
    raise NotFoundError(
        f"AlphaFold DB has no model of {accession} with UniProt's {len(sequence):,} residues"
        f"{others}.{long}"
    )


def aligned_error(found: Model, annotation: Annotation, fetcher: Fetcher) -> NDArray[np.uint8]:
    """Predicted aligned error in whole Å, shape=(L, L); see `Annotation.pae`.

    Raises
    ------
    SourceError
        None there, or not a square of the model's size.
    """
    if not found.pae_url:
        raise NotFoundError(f"{found}: has no predicted aligned error.")
    told = fetcher.get(found.pae_url).json()
    rows = dig(told, 0, "predicted_aligned_error") or dig(told, "predicted_aligned_error")
    try:
        error = np.asarray(rows, dtype=float)
    except (TypeError, ValueError) as problem:
        raise SourceError(f"{found}: its predicted aligned error is no table.") from problem
    size = len(annotation.sequence)
    if found.length != size:
        raise NotFoundError(
            f"{found}: covers a part of the sequence only; its predicted aligned error is left out."
        )
    if error.shape != (size, size) or not np.isfinite(error).all() or error.min(initial=0) < 0:
        raise SourceError(
            f"{found}: its predicted aligned error is no table of {size} x {size} numbers."
        )
    return np.asarray(np.round(np.minimum(error, _MAX_PAE)), dtype=np.uint8)


def alphafold_alignment(found: Model, fetcher: Fetcher) -> bytes:
    """The alignment of homologues the model was made from, an A3M file; its query is the model's.

    `inputs.msa.read_profile` reads it. It is fetched on request only, for it may be large; at
    most as large as the limits of `fetcher` allow.

    Raises
    ------
    NotFoundError
        There is none.
    SourceError
        It cannot be fetched, or is too large.
    """
    if not found.alignment_url:
        raise NotFoundError(f"{found}: AlphaFold DB tells of no alignment.")
    return fetcher.get(found.alignment_url).content
