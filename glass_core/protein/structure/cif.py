"""mmCIF and BinaryCIF files: which columns of theirs are which atom, and what they say of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import StructureError
from glass_core.protein.structure.assembly import CATEGORIES, first_assembly
from glass_core.protein.structure.cif_columns import EVERY_ROW, Block
from glass_core.protein.structure.structure import Origin
from glass_core.protein.structure.table import AtomTable, Copy, FileContent

_ATOMS = "atom_site"
_CONFIDENCE = "ma_qa_metric_local"
_ALPHAFOLD_ENTRY = "AF-"
_PERCENT = {"plddt": 1.0, "plddt in [0,1]": 100.0}
"""Metrics that are pLDDT, and what makes percent of them."""


def read_cif(blocks: Sequence[Block], name: str) -> FileContent:
    """The first model of the block with atoms.

    Raises
    ------
    StructureError
        No block has atoms, or coordinates are left out.
    ValueError
        A column holds what it cannot.
    """
    with_atoms = [block for block in blocks if _ATOMS in block]
    if not with_atoms:
        raise StructureError(
            f"{name}: has no table of atoms (atom_site); it describes no structure, or is cut off."
        )
    block, *others = with_atoms
    notes: tuple[str, ...] = ()
    if others:
        notes = (
            f"{len(with_atoms)} blocks hold atoms; '{block.name}' was read, "
            f"'{', '.join(other.name for other in others[:5])}' was not.",
        )
    first, more = _first_model(block)
    if more:
        notes = (*notes, f"The first of {more + 1} models was read.")
    atoms, told = _atoms(block, first, name)
    return FileContent(name, atoms, _origin(block, told), {}, _assembly(block), notes)


def _first_model(block: Block) -> tuple[slice, int]:
    """Rows of the first model, and how many more there are; models stand one after the other."""
    model = block.words(_ATOMS, "pdbx_PDB_model_num")
    if model is None:
        return EVERY_ROW, 0
    ends = np.flatnonzero(model[1:] != model[:-1])
    return slice(0, int(ends[0]) + 1 if len(ends) else None), len(np.unique(model)) - 1


def _atoms(block: Block, rows: slice, name: str) -> tuple[AtomTable, bool]:
    """The atoms, and whether their B-factors were replaced by pLDDT."""
    coord = np.stack([_required(block, name, f"Cartn_{axis}", rows) for axis in "xyz"], axis=1)
    count = len(coord)

    def words(*tags: str, missing: str = "") -> NDArray[np.str_]:
        """By the author where he names it, else as mmCIF itself does."""
        made = np.full(count, missing)
        for tag in tags:
            open_ones = made == missing
            found = block.words(_ATOMS, tag, rows=rows) if open_ones.any() else None
            if found is not None:
                made = np.where(open_ones, found, made)
        return made

    def figures(tag: str, missing: float) -> NDArray[np.float64]:
        found = block.numbers(_ATOMS, tag, missing, rows)
        return np.full(count, missing) if found is None else found

    atom = words("auth_atom_id", "label_atom_id")
    element = np.char.upper(words("type_symbol"))
    if (element == "").any():
        from biotite.structure import infer_elements

        element = np.where(element == "", infer_elements(atom), element)
    subchain = words("label_asym_id")
    sequence = words("label_seq_id")
    place = _places(block, words("label_entity_id"), sequence)
    b_factor = figures("B_iso_or_equiv", 0.0)
    confidence = _confidence(block, subchain, sequence)
    told = confidence is not None
    if confidence is not None:
        b_factor = np.where(np.isnan(confidence), b_factor, confidence)
    accession, position = words("pdbx_sifts_xref_db_acc"), words("pdbx_sifts_xref_db_num")
    mapped = np.char.isdecimal(position) & (np.char.str_len(position) < 7)
    number = words("auth_seq_id", "label_seq_id")
    return (
        AtomTable(
            hetero=words("group_PDB") == "HETATM",
            chain=words("auth_asym_id", "label_asym_id"),
            subchain=subchain,
            segment=np.full(count, ""),
            number=np.where(number == "", "0", number).astype(int),
            code=words("pdbx_PDB_ins_code"),
            residue=words("auth_comp_id", "label_comp_id"),
            atom=atom,
            element=element,
            location=words("label_alt_id"),
            coord=coord,
            occupancy=figures("occupancy", 1.0),
            b_factor=b_factor,
            place=place,
            part=np.zeros(count, dtype=int),
            accession=np.where(mapped, accession, "") if mapped.any() else None,
            accession_position=(
                np.where(mapped, position, "-1").astype(int) if mapped.any() else None
            ),
        ),
        told,
    )


def _required(block: Block, name: str, tag: str, rows: slice) -> NDArray[np.float64]:
    column = block.numbers(_ATOMS, tag, np.nan, rows)
    if column is None:
        raise StructureError(
            f"{name}: cannot be read as mmCIF, its atoms have no coordinates ({tag}); it may be "
            "truncated."
        )
    return column


def _places(
    block: Block, entity: NDArray[np.str_], sequence: NDArray[np.str_]
) -> NDArray[np.int64]:
    """Each atom's place in its polymer, 0 for none; -1 where the file tells nothing.

    Many programs number everything, ligands too, so that the numbers alone tell nothing: the
    file must say what its entities are, or leave out the numbers of some groups. What is no
    number and no blank, as an editor writes for residues it added, tells nothing of its atom.
    """
    numbered = np.char.isdecimal(sequence) & (np.char.str_len(sequence) < 9)
    blank = sequence == ""
    ids, kinds = block.words("entity", "id"), block.words("entity", "type")
    if ids is not None and kinds is not None and len(ids) == len(kinds) and (kinds != "").any():
        blank |= numbered & ~np.isin(entity, ids[np.char.lower(kinds) == "polymer"])
        numbered &= ~blank
    elif not blank.any() and "entity_poly_seq" not in block:
        numbered[:] = False
    if not numbered.any():
        return np.full(len(sequence), -1)
    return np.where(numbered, sequence, np.where(blank, "0", "-1")).astype(np.int64)


def _confidence(
    block: Block, subchain: NDArray[np.str_], sequence: NDArray[np.str_]
) -> NDArray[np.float64] | None:
    """pLDDT in percent of each atom, by ModelCIF's local metric; None where it has none."""
    metrics = [block.words("ma_qa_metric", tag) for tag in ("id", "type")]
    local = [
        block.words(_CONFIDENCE, tag)
        for tag in ("metric_id", "label_asym_id", "label_seq_id", "metric_value")
    ]
    if any(column is None for column in (*metrics, *local)):
        return None
    scales = {str(i): _PERCENT.get(str(kind).lower()) for i, kind in zip(*metrics, strict=True)}
    told = {
        (str(chain), str(place)): float(value) * scale
        for one, chain, place, value in zip(*local, strict=True)
        if (scale := scales.get(str(one))) is not None and value != ""
    }
    if not told:
        return None
    return np.array(
        [told.get((str(c), str(s)), np.nan) for c, s in zip(subchain, sequence, strict=True)]
    )


def _origin(block: Block, told: bool) -> Origin:
    """What kind of structure it is by its own records; `told`: it gives pLDDT."""
    methods = block.words("exptl", "method")
    if _CONFIDENCE in block or "ma_qa_metric" in block:
        entry = block.words("entry", "id")
        of_database = entry is not None and str(entry[0]).startswith(_ALPHAFOLD_ENTRY)
        programs = block.words("software", "name")
        by_program = programs is not None and any("alphafold" in str(p).lower() for p in programs)
        if of_database or (told and by_program):
            return "alphafold"
        return "predicted" if told else "model"
    if methods is None or not (methods != "").any():
        return "unknown"
    return "model" if "THEORETICAL" in str(methods[0]).upper() else "experiment"


def _assembly(block: Block) -> tuple[Copy, ...]:
    import gemmi

    tables = {category: block.whole(category.strip("_.")) for category in CATEGORIES}
    if not all(tables.values()):
        return ()
    made = gemmi.cif.Document().add_new_block("assembly")
    for category, table in tables.items():
        made.set_mmcif_category(category, dict(table), raw=True)
    return first_assembly(gemmi.make_structure_from_block(made))
