"""From what a user typed or dropped to a `Protein` and a `Variant`; CLI and page share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glass_core.errors import InputError, SequenceError, VariantError
from glass_core.protein import Protein
from glass_core.sequence import read_sequence
from glass_core.structure import Structure
from glass_core.structure_file import read_structure
from glass_core.variant import Variant

EXAMPLE_CHAIN = "A"
EXAMPLE_VARIANT = "V31P"
"""A proline in the middle of a helix of a globin chain."""


@dataclass(frozen=True)
class Upload:
    """A structure file's content and name."""

    content: bytes
    name: str

    @staticmethod
    def from_path(path: Path) -> Upload:
        """Read a file.

        Raises
        ------
        InputError
            It cannot be read.
        """
        try:
            return Upload(path.read_bytes(), path.name)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}).") from error


@dataclass(frozen=True, eq=False)
class Inputs:
    """Checked inputs of one analysis."""

    protein: Protein
    variant: Variant
    mutant_structure: Structure | None = None


def read_inputs(
    wild: str,
    variant: str,
    mutant: str = "",
    structure: Upload | None = None,
    chain: str | None = None,
    mutant_structure: Upload | None = None,
    mutant_chain: str | None = None,
) -> Inputs:
    """Check everything and put it together.

    Parameters
    ----------
    wild : str
        Wild-type sequence or FASTA record; may be empty when there is a
        structure, whose residues are then the sequence.
    variant : str
        See `Variant.parse`; may be empty when `mutant` is given.
    mutant : str
        The whole mutant sequence, in place of `variant`.

    Raises
    ------
    SequenceError, VariantError, StructureError
        One line that says what is wrong, where, and what to do.
    """
    shape = None
    if structure is not None:
        shape = read_structure(structure.content, chain=chain, name=structure.name)
    if wild.strip():
        record = read_sequence(wild, "wild type")
        name = record.name
        protein = (
            Protein.combine(record.residues, shape, name)
            if shape is not None
            else Protein.from_sequence(record.residues, name)
        )
    elif shape is not None:
        protein = Protein.from_structure(shape)
    else:
        raise SequenceError(
            "wild type: is empty; paste a sequence or a FASTA record, or give a structure file."
        )
    return Inputs(
        protein=protein,
        variant=_read_variant(protein.sequence, variant, mutant),
        mutant_structure=None if mutant_structure is None else read_structure(
            mutant_structure.content, chain=mutant_chain, name=mutant_structure.name
        ),
    )


def _read_variant(wild_type: str, variant: str, mutant: str) -> Variant:
    if variant.strip() and mutant.strip():
        by_name = Variant.parse(variant, wild_type)
        if by_name.mutant != read_sequence(mutant, "mutant").residues:
            raise VariantError(
                f"variant '{variant.strip()}': is not what the mutant sequence shows; give one of "
                "the two."
            )
        return by_name
    if mutant.strip():
        return Variant.from_sequences(wild_type, read_sequence(mutant, "mutant").residues)
    return Variant.parse(variant, wild_type)


def text_or_file(given: str) -> str:
    """The text itself, or the text of the file it names."""
    if "\n" in given or len(given) > 1000:
        return given
    path = Path(given)
    try:
        if not path.is_file():
            return given
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SequenceError(
            f"{path.name}: is not a text file; give FASTA or plain text."
        ) from error
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}).") from error


def example_upload() -> Upload:
    """The structure of the example, PDB entry 2GTL, from the tmtools package; no network."""
    from tmtools.testing import get_pdb_path

    return Upload(Path(get_pdb_path("2gtl")).read_bytes(), "2gtl.pdb")
