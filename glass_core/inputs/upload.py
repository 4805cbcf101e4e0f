"""What a user dropped or named: the content of a file, or the text itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glass_core.errors import InputError, SequenceError, shown
from glass_core.protein.structure.file import Neighbours
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure

EXAMPLE_CHAIN = "A"
EXAMPLE_VARIANT = "V31P"
"""A proline in the middle of a helix of a globin chain."""
_LONGEST_PATH = 1000
_FILE_SUFFIXES = (".csv", ".tsv", ".parquet", ".txt", ".fasta", ".fa", ".faa", ".pdb", ".cif")
"""No sequence and no list of variants ends so: what does is meant as a file."""


@dataclass(frozen=True)
class Upload:
    """A file's content and name.

    `neighbours`: whether contacts are with the chains of a structure's file or its assembly.
    """

    content: bytes
    name: str
    neighbours: Neighbours = "unit"

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

    @staticmethod
    def of_structure(structure: Structure) -> Upload:
        """A file that holds `structure`, as if it had been uploaded."""
        content = write_structure(structure, "mmcif", with_ligands=True)
        return Upload(content.encode(), structure.name)

    @staticmethod
    def if_any(content: bytes | None, name: str) -> Upload | None:
        """The upload of what was looked up; None where there was nothing."""
        return None if content is None else Upload(content, name)


def file_named(given: str) -> Path | None:
    """The file that `given` is the path of; None where it is the text itself.

    Raises
    ------
    InputError
        It ends as the name of a file does, and there is none.
    """
    if "\n" in given or len(given) > _LONGEST_PATH:
        return None
    path = Path(given)
    try:
        if path.is_file():
            return path
    except OSError:  # no path at all, such as a sequence that is longer than names may be
        return None
    if path.suffix.lower() in _FILE_SUFFIXES:
        raise InputError(f"{shown(given)}: there is no such file; check the path.")
    return None


def text_or_file(given: str) -> str:
    """The text itself, or the text of the file it names.

    Raises
    ------
    SequenceError, InputError
        The file is no text, or cannot be read.
    """
    path = file_named(given)
    if path is None:
        return given
    try:
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
