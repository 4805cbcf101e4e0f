"""`Structure` and `Protein` to plain values and back, without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.protein.annotation import Annotation, Feature, KnownVariant, Retrieved
from glass_core.protein.change import Change
from glass_core.protein.external import external_dict, external_from
from glass_core.protein.numbering import Numbering
from glass_core.protein.profile import profile_dict, profile_from
from glass_core.protein.protein import Protein
from glass_core.protein.structure.backbone import Backbone
from glass_core.protein.structure.file import read_structure
from glass_core.protein.structure.structure import DECIMALS, Structure
from glass_core.protein.structure.write import write_structure
from glass_core.records import from_nullable, packed, to_nullable, unpacked


def structure_dict(structure: Structure | None) -> dict[str, Any] | None:
    """Name, origin, notes and the atoms as mmCIF."""
    if structure is None:
        return None
    return {
        "name": structure.name,
        "origin": structure.origin,
        "notes": list(structure.notes),
        "mmcif": write_structure(structure, "mmcif", with_ligands=True),
        "contacts": list(structure.contacts),
        "partners": _backbone_dict(structure.partners),
    }


def structure_from(content: Mapping[str, Any] | None) -> Structure | None:
    """Inverse of `structure_dict`."""
    if content is None:
        return None
    read = read_structure(content["mmcif"].encode(), name=content["name"])
    return Structure(
        read.atoms,
        content["name"],
        content["origin"],
        tuple(content["notes"]),
        read.ligands,
        tuple(content.get("contacts", ())),
        _backbone_from(content.get("partners")),
    )


def _backbone_dict(backbone: Backbone | None) -> dict[str, Any] | None:
    """Coordinates in Å to 0.001, a residue's twelve in one row; null = the atom is missing."""
    if backbone is None:
        return None
    rows = backbone.coordinates.astype(float).reshape(len(backbone), -1).round(DECIMALS)
    return {
        "letters": backbone.letters,
        "coordinates": to_nullable(rows),
        "numbers": [int(n) for n in backbone.numbers],
        "chains": list(backbone.chains),
    }


def _backbone_from(content: Mapping[str, Any] | None) -> Backbone | None:
    """Inverse of `_backbone_dict`."""
    if content is None:
        return None
    rows = from_nullable(content["coordinates"])
    return Backbone(
        content["letters"],
        rows.reshape(len(rows), -1, 3).astype(np.float32),
        np.array(content["numbers"], dtype=int),
        tuple(content["chains"]),
    )


def protein_dict(protein: Protein) -> dict[str, Any]:
    """Sequence, name, structure and which residue of it each position is."""
    return {
        "sequence": protein.sequence,
        "name": protein.name,
        "structure": structure_dict(protein.structure),
        "structure_index": [int(i) for i in protein.structure_index],
        "accession": protein.accession,
        "uniprot_positions": [protein.uniprot_position(index) for index in range(len(protein))]
        if protein.accession
        else None,
        "annotation": annotation_dict(protein.annotation),
        "profile": profile_dict(protein.profile),
        "computed": [external_dict(scores) for scores in protein.computed],
        "own_counting": None if protein.own_counting is None else asdict(protein.own_counting),
    }


def protein_from(content: Mapping[str, Any]) -> Protein:
    """Inverse of `protein_dict`."""
    return Protein(
        content["sequence"],
        content["name"],
        structure_from(content["structure"]),
        np.array(content["structure_index"], dtype=int),
        content.get("accession", ""),
        _positions(content.get("uniprot_positions")),
        annotation_from(content.get("annotation")),
        profile_from(content.get("profile")),
        tuple(external_from(one) for one in content.get("computed", ())),
        _numbering_from(content.get("own_counting")),
    )


def _numbering_from(content: Mapping[str, Any] | None) -> Numbering | None:
    if content is None:
        return None
    return Numbering(content["kind"], tuple(content["labels"]), content["name"])


def annotation_dict(annotation: Annotation | None) -> dict[str, Any] | None:
    """Plain values; the aligned error as its bytes, compressed and in base 64."""
    if annotation is None:
        return None
    return asdict(replace(annotation, pae=None, variants=(), external=())) | {
        "variants": [_known_dict(variant) for variant in annotation.variants],
        "pae": None if annotation.pae is None else packed(annotation.pae),
        "external": [external_dict(scores) for scores in annotation.external],
    }


def annotation_from(content: Mapping[str, Any] | None) -> Annotation | None:
    """Inverse of `annotation_dict`."""
    if content is None:
        return None
    size = len(content["sequence"])
    return Annotation(
        **{
            **content,
            "features": tuple(Feature(**one) for one in content["features"]),
            "variants": tuple(_known_from(one) for one in content["variants"]),
            "retrieved": tuple(Retrieved(**one) for one in content["retrieved"]),
            "pae": None
            if content["pae"] is None
            else unpacked(content["pae"], (size, size), "pae", np.uint8),
            "external": tuple(external_from(one) for one in content.get("external", ())),
        }
    )


def _known_dict(variant: KnownVariant) -> dict[str, Any]:
    """The change's three values beside the others, as they have been kept from the first."""
    values, change = asdict(variant), variant.change
    del values["change"]
    return {"start": change.position, "wild": change.wild, "mutant": change.mutant} | values


def _known_from(content: Mapping[str, Any]) -> KnownVariant:
    """Inverse of `_known_dict`."""
    values = dict(content)
    change = Change(values.pop("start"), values.pop("wild"), values.pop("mutant"))
    return KnownVariant(change, **values | {"ids": tuple(values["ids"])})


def _positions(content: list[int | None] | None) -> NDArray[np.int64] | None:
    if content is None:
        return None
    return np.array([-1 if n is None else n for n in content], dtype=int)
