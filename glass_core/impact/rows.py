"""The residue table of an `Impact`: one row per wild-type position."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.record import Impact
from glass_core.records import nullable

RESIDUE_FORMAT = "glass-residues/2"
"""Format 1 had no number, and called what was measured an effect."""

RESIDUE_COLUMNS: dict[str, str] = {
    "residue": "wild-type residue with its number as the user counts, see numbering; (5) is "
    "sequence position 5, which has no number there",
    "position": "sequence position, from 1",
    "wild_type": "wild-type residue",
    "mutant": "mutant residue(s) at this position; '-' where deleted",
    "changed": "whether the variant touches this position",
    "chain": "author chain; empty without coordinates",
    "author_number": "author residue number with insertion code; empty without coordinates",
    "uniprot_position": "UniProt position, where known",
    "contacts": "other chains with an atom within 5 Å; ' marks a symmetry copy",
    "secondary_structure": "H helix, E strand, C coil of the wild-type structure; - no coordinates",
    "predicted_lddt": "predicted by the model from sequences alone, a cosine",
    "predicted_change": "predicted mean |d - d'| over neighbours within 15 Å, in Å, from the "
    "wild-type structure and the substitution",
    "predicted_flexibility": "the same without the substitution, in Å",
    "conservation": "1 - entropy of the residues of homologues, 0 to 1; from the alignment",
    "predicted_sensitivity": "mean effect score of the position's 19 substitutions, predicted; "
    "higher = more damaging; no unit",
    "measured_lddt": "measured on remodelled structures (relaxed wild type against mutant), mean",
    "measured_lddt_sd": "standard deviation of measured_lddt over replicates",
    "floor_lddt": "noise floor: relaxed wild type against the wild type mutated to itself",
    "deficit_above_floor": "measured deficit (1 - lDDT) minus the floor's",
    "deficit_z": "deficit_above_floor over the noise of the floor",
    "deficit_significant": "whether the deficit rises above the floor at 5% false discovery rate",
    "lddt_as_published": "given wild-type structure against remodelled mutant (the paper's way)",
    "strain": "effective strain, mean over replicates",
    "floor_strain": "effective strain of the noise floor",
    "strain_above_floor": "strain minus the floor's",
    "strain_z": "strain_above_floor over the noise of the floor",
    "strain_significant": "whether the strain rises above the floor at 5% false discovery rate",
    "distance_change": "mean |d - d'| over neighbours within 15 Å, in Å",
    "plddt": "AlphaFold's confidence of the wild-type model, 0-100; not an effect",
    "variant": "the variant, in sequence positions",
    "written": "the variant as the user counts",
    "numbering": "how residue and written are counted",
    "model": "the model that predicted, with version and the start of its SHA-256",
    "protocol": "how the mutant structure was made; empty without one",
    "format": "of this table: its name and number",
}
"""Column -> meaning. Empty (null in JSON) means no value, never 0."""


def residue_rows(impact: Impact) -> list[dict[str, Any]]:
    """One dictionary per wild-type position with the keys of `RESIDUE_COLUMNS`."""
    protein, structure = impact.protein, impact.protein.structure
    plddt = None if structure is None else structure.plddt
    tracks: dict[str, NDArray[np.float64] | None] = {
        "predicted_lddt": impact.predicted_lddt,
        "predicted_change": impact.predicted_change,
        "predicted_flexibility": impact.flexibility,
        "conservation": impact.conservation,
        "predicted_sensitivity": impact.prediction.tracks.get("sensitivity"),
        "measured_lddt": impact.measured_lddt,
        "measured_lddt_sd": impact.measured_lddt_sd,
        "floor_lddt": impact.floor_lddt,
        "lddt_as_published": impact.published_lddt,
        "strain": impact.strain,
        "floor_strain": impact.floor_strain,
        "distance_change": impact.distance_change,
        "plddt": None if plddt is None else protein.track(plddt),
    }
    significant: dict[str, NDArray[np.float64]] = {}
    for quantity, excess in (
        ("deficit", impact.deficit_above_floor),
        ("strain", impact.strain_above_floor),
    ):
        if excess is not None:
            tracks[f"{quantity}_above_floor"] = protein.track(excess.amount)
            tracks[f"{quantity}_z"] = protein.track(excess.z)
            significant[f"{quantity}_significant"] = protein.track(excess.significant.astype(float))
    mutant_letters = _mutant_letters(impact)
    changed = set(impact.variant.positions)
    source = {
        "variant": impact.variant.text,
        "written": impact.written,
        "numbering": protein.counting.words,
        "model": impact.prediction.model.stamp,
        "protocol": impact.provenance.protocol_text,
        "format": RESIDUE_FORMAT,
    }
    rows = []
    for index, residue in enumerate(protein.sequence):
        has_place = structure is not None and protein.structure_index[index] >= 0
        values: dict[str, Any] = {
            "residue": protein.named(index + 1),
            "position": index + 1,
            "wild_type": residue,
            "mutant": mutant_letters[index],
            "changed": index + 1 in changed,
            "chain": structure.chain if structure is not None and has_place else "",
            "author_number": protein.author_number(index),
            "contacts": protein.contacts(index),
            "uniprot_position": protein.uniprot_position(index),
            **source,
            "secondary_structure": impact.secondary_structure[index],
        }
        for name, track in tracks.items():
            values[name] = _value(track, index)
        for name, track in significant.items():
            value = _value(track, index)
            values[name] = None if value is None else bool(value)
        rows.append({name: values.get(name) for name in RESIDUE_COLUMNS})
    return rows


def _value(track: NDArray[np.float64] | None, index: int) -> float | None:
    return None if track is None else nullable(float(track[index]))


def _mutant_letters(impact: Impact) -> list[str]:
    letters = list(impact.variant.wild_type)
    for change in impact.variant.changes:
        if change.is_substitution:
            letters[change.position - 1] = change.mutant
        elif not change.wild:
            anchor = max(change.position - 2, 0)
            letters[anchor] = (
                letters[anchor] + change.mutant
                if change.position > 1
                else (change.mutant + letters[anchor])
            )
        else:
            for offset in range(len(change.wild)):
                last = offset == len(change.wild) - 1
                letters[change.position - 1 + offset] = (
                    change.mutant[offset:] if last else change.mutant[offset : offset + 1]
                ) or "-"
    return letters
