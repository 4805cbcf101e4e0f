"""Small structure files of every make, from the first residues of PDB entry 2GTL, chain A."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tmtools.testing import get_pdb_path

SEQUENCE = "DCCSYEDRREIRHIWDDVWS"
"""Of the first twenty residues, as the entry's SEQRES begins."""


@dataclass(frozen=True)
class Atom:
    """One atom as files list it."""

    name: str
    residue: str
    number: int
    xyz: tuple[float, float, float]
    chain: str = "A"
    code: str = ""
    location: str = ""
    occupancy: float = 1.0
    b: float = 20.0
    element: str = "C"
    hetero: bool = False
    segment: str = ""
    place: str = ""

    def moved(self, by: float) -> Atom:
        """The atom so many Å along each axis."""
        return replace(self, xyz=tuple(v + by for v in self.xyz))  # type: ignore[arg-type]


def peptide(count: int = 20) -> list[Atom]:
    """The first residues, numbered from 1."""
    atoms = []
    for line in Path(get_pdb_path("2gtl")).read_text().splitlines():
        if line.startswith("ATOM") and line[21] == "A":
            atoms.append(
                Atom(
                    line[12:16].strip(),
                    line[17:20],
                    int(line[22:26]),
                    (float(line[30:38]), float(line[38:46]), float(line[46:54])),
                    element=line[76:78].strip(),
                )
            )
    first = atoms[0].number
    made = [replace(a, number=a.number - first + 1) for a in atoms]
    return [replace(a, place=str(a.number)) for a in made if a.number <= count]


def of(atoms: Iterable[Atom], *numbers: int) -> list[Atom]:
    """The atoms of some residues."""
    return [a for a in atoms if a.number in numbers]


def without(atoms: Iterable[Atom], *numbers: int) -> list[Atom]:
    """All atoms but those of some residues."""
    return [a for a in atoms if a.number not in numbers]


def changed(atoms: Iterable[Atom], number: int, **fields: object) -> list[Atom]:
    """The atoms, those of one residue with other fields."""
    return [replace(a, **fields) if a.number == number else a for a in atoms]  # type: ignore[arg-type]


def free_group(residue: str, number: int, hetero: bool = True) -> list[Atom]:
    """An amino acid bonded to nothing, far away."""
    names = ("N", "CA", "C", "O")
    return [
        Atom(name, residue, number, (60.0 + 1.5 * i, 0.0, 0.0), element=name[0], hetero=hetero)
        for i, name in enumerate(names)
    ]


def pdb_line(atom: Atom, serial: int = 1) -> str:
    """The line of an atom in the PDB format, its fields in their columns."""
    name = atom.name if len(atom.name) > 3 else f" {atom.name:<3}"
    x, y, z = atom.xyz
    return (
        f"{'HETATM' if atom.hetero else 'ATOM':<6}{serial % 100000:>5} {name}{atom.location:1}"
        f"{atom.residue:>3} {atom.chain:1}{atom.number:>4}{atom.code:1}   {x:8.3f}{y:8.3f}{z:8.3f}"
        f"{atom.occupancy:6.2f}{atom.b:6.2f}      {atom.segment:<4}{atom.element:>2}"
    )


def pdb(*parts: Sequence[Atom] | str) -> bytes:
    """A PDB file: atoms, and lines in between."""
    lines: list[str] = []
    for part in parts:
        lines += [part] if isinstance(part, str) else [pdb_line(a, len(lines) + 1) for a in part]
    return ("\n".join([*lines, "END"]) + "\n").encode()


CIF_COLUMNS = {
    "group_PDB": lambda a: "HETATM" if a.hetero else "ATOM",
    "id": lambda a: "1",
    "type_symbol": lambda a: a.element,
    "label_atom_id": lambda a: f'"{a.name}"' if "'" in a.name else a.name,
    "label_alt_id": lambda a: a.location or ".",
    "label_comp_id": lambda a: a.residue,
    "label_asym_id": lambda a: a.chain if a.place else "L",
    "label_entity_id": lambda a: "1" if a.place else "2",
    "label_seq_id": lambda a: a.place or ".",
    "pdbx_PDB_ins_code": lambda a: a.code or "?",
    "Cartn_x": lambda a: f"{a.xyz[0]:.3f}",
    "Cartn_y": lambda a: f"{a.xyz[1]:.3f}",
    "Cartn_z": lambda a: f"{a.xyz[2]:.3f}",
    "occupancy": lambda a: f"{a.occupancy:.2f}",
    "B_iso_or_equiv": lambda a: f"{a.b:.2f}",
    "auth_seq_id": lambda a: str(a.number),
    "auth_comp_id": lambda a: a.residue,
    "auth_asym_id": lambda a: a.chain,
    "auth_atom_id": lambda a: f'"{a.name}"' if "'" in a.name else a.name,
    "pdbx_PDB_model_num": lambda a: "1",
}


def atom_loop(atoms: Sequence[Atom], leave_out: Sequence[str] = (), indent: str = "") -> str:
    """The loop of an mmCIF file's atoms."""
    columns = {tag: of for tag, of in CIF_COLUMNS.items() if tag not in leave_out}
    lines = ["loop_", *(f"_atom_site.{tag}" for tag in columns)]
    lines += [" ".join(write(a) for write in columns.values()) for a in atoms]
    return "".join(f"{indent}{line}\n" for line in lines)


def cif(atoms: Sequence[Atom], before: str = "", **how: object) -> bytes:
    """An mmCIF file of one block."""
    return f"data_x\n{before}{atom_loop(atoms, **how)}#\n".encode()  # type: ignore[arg-type]
