"""What a user dropped or named: the content of a file, or the text itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from glass_core.errors import InputError, shown
from glass_core.inputs.text import decode
from glass_core.protein.structure.file import Neighbours
from glass_core.protein.structure.structure import Structure
from glass_core.protein.structure.write import write_structure

EXAMPLE_CHAIN = "A"
EXAMPLE_VARIANT = "V31P"
"""A proline in the middle of a helix of a globin chain."""
_LONGEST_PATH, _LONGEST_NAME = 4000, 255
"""Letters of a path, and bytes of one name in it, that file systems have at most."""
_FILE_SUFFIXES = frozenset(
    (
        *(".csv", ".tsv", ".tab", ".parquet", ".txt", ".xlsx", ".xls", ".json", ".gz"),
        *(".fasta", ".fa", ".faa", ".fas", ".seq"),
        *(".pdb", ".ent", ".cif", ".mmcif", ".bcif"),
    )
)
"""No sequence and no list of variants ends so: what does is meant as a file."""
_PATH = re.compile(r"[A-Za-z]:\\|[~.]{0,2}/|(?=[^/]*[a-z_.-])[A-Za-z_.-]+/")
"""Begins as a path does: from a root, or with a folder; ``R175H/Y`` is a variant."""


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

    What no file can be called (several lines, a FASTA record, names longer than file systems
    have) is text, without asking them.

    Raises
    ------
    InputError
        It is written as a path, or ends as the name of a file does, and there is no such file.
    """
    if not _may_be_path(given):
        return None
    path = Path(given)
    try:
        if path.is_file():
            return path
        if path.is_dir() and not given.isalnum():
            raise InputError(f"{shown(given)}: is a folder; give a file in it.")
    except OSError as error:
        raise InputError(f"{shown(given)}: cannot be read ({error.strerror}).") from error
    if path.suffix.lower() in _FILE_SUFFIXES or _PATH.match(given):
        raise InputError(f"{shown(given)}: there is no such file; check the path.")
    return None


def _may_be_path(given: str) -> bool:
    return (
        0 < len(given) <= _LONGEST_PATH
        and not given.startswith(">")
        and not any(letter in given for letter in "\n\r\0")
        and max(len(part.encode()) for part in given.split("/")) <= _LONGEST_NAME
    )


def text_or_file(given: str) -> str:
    """The text itself, or the text of the file it names.

    Raises
    ------
    InputError
        The file is no text, or cannot be read.
    """
    path = file_named(given)
    return given if path is None else decode(Upload.from_path(path).content, path.name)


def example_upload() -> Upload:
    """The structure of the example, PDB entry 2GTL, from the tmtools package; no network."""
    from tmtools.testing import get_pdb_path

    return Upload(Path(get_pdb_path("2gtl")).read_bytes(), "2gtl.pdb")
