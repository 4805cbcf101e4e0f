"""From what was typed and dropped for one analysis to a `Protein` and a `Variant`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from glass_core.errors import VariantError, shown
from glass_core.inputs.proteins import Alignment, read_protein, with_alignment
from glass_core.inputs.reading import Count
from glass_core.inputs.upload import Upload
from glass_core.inputs.words import read_variant
from glass_core.protein.annotation import Annotation
from glass_core.protein.numbering import NUMBERING_KINDS
from glass_core.protein.protein import Protein
from glass_core.protein.sequence import read_sequence
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import Structure
from glass_core.protein.variant import Variant
from glass_core.protein.written import take_apart
from glass_core.records import require, require_one_of

Follow = Literal["sequence", "structure"]


@dataclass(frozen=True)
class AnalysisRequest:
    """What a user gave for one analysis, unread; the command line and the page fill it.

    Attributes
    ----------
    wild : str
        Wild-type sequence or FASTA record; may be empty when there is a
        structure, whose residues are then the sequence.
    variant : str
        See `words.read_variant`; may be empty when `mutant` is given. A chain before it
        (``A:R175H``) chooses that of the structure.
    mutant : str
        The whole mutant sequence, in place of `variant`.
    structure, mutant_structure : Upload or None
    chain, mutant_chain : str or None
        Needed where a structure has several.
    numbering : {"sequence", "UniProt", "author"} or Numbering
        What the numbers in `variant` mean; the protein is counted by it from then on.
    annotation : Annotation or None
        What was looked up about the protein; its sequence stands in for an empty `wild`.
    alignment : Path, Upload, AlignmentProfile or None
        An alignment of homologues, see `msa.read_profile`.
    follow : {"sequence", "structure"}
        Whose residue the wild type has where the two differ.
    """

    wild: str = ""
    variant: str = ""
    mutant: str = ""
    structure: Upload | None = None
    chain: str | None = None
    mutant_structure: Upload | None = None
    mutant_chain: str | None = None
    numbering: Count = "sequence"
    annotation: Annotation | None = None
    alignment: Alignment | None = None
    follow: Follow = "sequence"

    def __post_init__(self) -> None:
        if isinstance(self.numbering, str):
            require_one_of(self.numbering, NUMBERING_KINDS, "numbering")
        require_one_of(self.follow, get_args(Follow), "follow")


@dataclass(frozen=True, eq=False)
class AnalysisInputs:
    """Checked inputs of one analysis."""

    protein: Protein
    variant: Variant
    mutant_structure: Structure | None = None

    def __post_init__(self) -> None:
        require(self.variant.wild_type == self.protein.sequence, "variant", "is of this protein")


def read_analysis(request: AnalysisRequest, protein: Protein | None = None) -> AnalysisInputs:
    """Check everything and put it together.

    Parameters
    ----------
    protein : Protein, optional
        The wild type as it was read from this request before, with all that is known of it.

    Raises
    ------
    SequenceError, VariantError, StructureError, InputError
        One line that says what is wrong, where, and what to do.
    """
    protein = protein or _protein(request)
    variant = _variant(request, protein)
    mutant_structure = None
    if request.mutant_structure is not None:
        mutant_structure = read_structure(
            request.mutant_structure.content,
            chain=request.mutant_chain,
            name=request.mutant_structure.name,
        )
    return AnalysisInputs(protein, variant, mutant_structure)


def _protein(request: AnalysisRequest) -> Protein:
    chain = request.chain
    if request.structure is not None and chain is None:
        chain = take_apart(request.variant).chain or None
    protein = read_protein(request.wild, request.structure, chain, request.annotation)
    if request.follow == "structure":
        protein = protein.following_structure()
    return with_alignment(protein, request.alignment).counted_by(request.numbering)


def _variant(request: AnalysisRequest, protein: Protein) -> Variant:
    if not request.mutant.strip():
        return read_variant(request.variant, protein)
    mutant = read_sequence(request.mutant, "mutant").residues
    if not request.variant.strip():
        return Variant.from_sequences(protein.sequence, mutant)
    variant = read_variant(request.variant, protein)
    if variant.mutant != mutant:
        raise VariantError(
            f"variant '{shown(request.variant)}': is not what the mutant sequence shows; give "
            "one of the two."
        )
    return variant
