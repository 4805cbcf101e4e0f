"""The residue table of an `Impact`: one row per wild-type position."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.impact.record import Impact

COLUMNS: dict[str, str] = {
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
    "predicted_sensitivity": "mean effect score of the position's 19 substitutions, predicted; "
    "higher = more damaging; no unit",
    "measured_lddt": "measured on remodelled structures (relaxed wild type against mutant), mean",
    "measured_lddt_sd": "standard deviation of measured_lddt over replicates",
    "floor_lddt": "noise floor: relaxed wild type against the wild type mutated to itself",
    "effect": "measured deficit (1 - lDDT) minus the floor's",
    "effect_z": "effect over the noise of the floor",
    "above_floor": "whether the effect rises above the floor at 5% false discovery rate",
    "lddt_as_published": "given wild-type structure against remodelled mutant (the paper's way)",
    "strain": "effective strain, mean over replicates",
    "floor_strain": "effective strain of the noise floor",
    "strain_z": "strain minus the floor's, over the noise of the floor",
    "strain_above_floor": "whether the strain rises above the floor at 5% false discovery rate",
    "distance_change": "mean |d - d'| over neighbours within 15 Å, in Å",
    "plddt": "AlphaFold's confidence of the wild-type model, 0-100; not an effect",
    "variant": "the variant",
    "model": "the model that predicted, with version and the start of its SHA-256",
    "protocol": "how the mutant structure was made; empty without one",
}
"""Column -> meaning. Empty (null in JSON) means no value, never 0."""


def residue_rows(impact: Impact) -> list[dict[str, Any]]:
    """One dictionary per wild-type position with the keys of `COLUMNS`."""
    protein = impact.protein
    nothing = np.full(len(protein), np.nan)
    effect, strained, structure = impact.effect, impact.strain_effect, protein.structure
    above = None if effect is None else protein.track(effect.above.astype(float))
    strain_above = None if strained is None else protein.track(strained.above.astype(float))
    tracks = {
        "predicted_lddt": impact.predicted_lddt,
        "predicted_sensitivity": nothing
        if impact.prediction.effect is None
        else impact.prediction.effect.sensitivity,
        "measured_lddt": impact.measured_lddt,
        "measured_lddt_sd": impact.measured_lddt_sd,
        "floor_lddt": impact.floor_lddt,
        "effect": nothing if effect is None else protein.track(effect.change),
        "effect_z": nothing if effect is None else protein.track(effect.z),
        "lddt_as_published": impact.published_lddt,
        "strain": impact.strain,
        "strain_z": nothing if strained is None else protein.track(strained.z),
        "floor_strain": impact.floor_strain,
        "distance_change": impact.distance_change,
        "plddt": nothing
        if structure is None or structure.plddt is None
        else protein.track(structure.plddt),
    }
    mutant_letters = _mutant_letters(impact)
    changed = set(impact.variant.positions)
    model = impact.prediction.model
    source = {
        "variant": impact.variant.text,
        "model": f"{model} ({model.sha256[:12]})",
        "protocol": impact.provenance.protocol_text,
    }
    rows = []
    for index, residue in enumerate(protein.sequence):
        has_place = structure is not None and protein.structure_index[index] >= 0
        values: dict[str, Any] = {
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
            "above_floor": _yes_or_no(above, index),
            "strain_above_floor": _yes_or_no(strain_above, index),
        }
        for name, track in tracks.items():
            value = float(track[index])
            values[name] = None if np.isnan(value) else value
        rows.append({name: values[name] for name in COLUMNS})
    return rows


def _yes_or_no(track: NDArray[np.float64] | None, index: int) -> bool | None:
    return None if track is None or np.isnan(track[index]) else bool(track[index])


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
