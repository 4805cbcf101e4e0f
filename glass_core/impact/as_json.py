"""`Impact` to JSON and back, without loss; the machine-readable contract of the CLI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from glass_core.errors import InputError, RecordError
from glass_core.impact.answer import combined
from glass_core.impact.baselines import Baselines
from glass_core.impact.evidence import agreement
from glass_core.impact.provenance import Provenance
from glass_core.impact.record import Impact
from glass_core.impact.rows import residue_rows
from glass_core.metrics.measure import Measurement
from glass_core.metrics.noise import NoiseFloor, replicate_mean
from glass_core.metrics.tmalign import StructuralAlignment
from glass_core.models.prediction import OTHERS_AT_SITE, ModelInfo, Prediction
from glass_core.protein.as_json import protein_dict, protein_from, structure_dict, structure_from
from glass_core.protein.change import Change
from glass_core.protein.variant import Variant
from glass_core.records import from_nullable, nullable, to_nullable
from glass_core.remodel.base import Replicate

IMPACT_FORMAT, FORMAT_1 = "glass-impact/2", "glass-impact/1"
"""Format 1 had an entry `effect` for what is now told by column."""


def to_json(impact: Impact, *, indent: int | None = None) -> str:
    """The JSON text of an `Impact`; `null` where there is no value."""
    return json.dumps(to_dict(impact), indent=indent, allow_nan=False)


def from_json(text: str) -> Impact:
    """Inverse of `to_json`.

    Raises
    ------
    InputError
        Not the JSON of an `Impact`.
    """
    try:
        return _from_dict(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, RecordError) as error:
        raise InputError(f"not a GLASS impact file ({str(error)[:120]}).") from error


def to_dict(impact: Impact) -> dict[str, Any]:
    """Plain values: what the README documents, then all that is needed to read it back."""
    prediction, floor = impact.prediction, impact.noise_floor
    return {
        "format": IMPACT_FORMAT,
        "variant": impact.variant.text,
        "written": impact.written,
        "numbering": impact.protein.counting.words,
        "prediction": {
            "tm_score": prediction.tm_score,
            "lddt": to_nullable(prediction.lddt),
            "model": asdict(prediction.model),
            "flags": list(prediction.flags),
            "told": dict(prediction.told),
            "tracks": {name: to_nullable(track) for name, track in prediction.tracks.items()},
            "stability": _stability(prediction.told),
            "local_change": None
            if impact.predicted_change is None
            else to_nullable(impact.predicted_change),
        },
        "evidence": [_plain(asdict(one)) for one in impact.evidence],
        "agreement": agreement(impact.evidence),
        "combined": _combined(prediction.told),
        "checks": [asdict(check) for check in impact.checks],
        "baselines": asdict(impact.baselines),
        "measurement": _summary(impact.measurements),
        "measurement_as_published": _summary(impact.as_published),
        "noise_floor": None if floor is None else _summary(floor.replicates),
        "residues": residue_rows(impact),
        "subdomains": [_plain(asdict(part)) for part in impact.subdomains],
        "flags": list(impact.flags),
        "provenance": asdict(impact.provenance),
        "wild_type": impact.variant.wild_type,
        "mutant": impact.variant.mutant,
        "changes": [asdict(change) for change in impact.variant.changes],
        "protein": protein_dict(impact.protein),
        "structures": [
            {
                "seed": r.seed,
                "reference": structure_dict(r.reference),
                "mutant": structure_dict(r.mutant),
                "floor": structure_dict(r.floor),
            }
            for r in impact.replicates
        ],
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them."""
    return {k: nullable(v) if isinstance(v, float) else v for k, v in values.items()}


def _stability(told: Mapping[str, float]) -> dict[str, Any] | None:
    """ddG in kcal/mol with its bounds, and what it was predicted from; None without one."""
    if "ddg" not in told:
        return None
    return {
        "ddg": told["ddg"],
        "low": told["ddg_low"],
        "high": told["ddg_high"],
        "takes": "structure" if told["ddg_structure"] else "sequence",
    }


def _combined(told: Mapping[str, float]) -> dict[str, Any] | None:
    """The chance from all evidence and what it used; None where the model makes none."""
    found = combined(told)
    return None if found is None else asdict(found) | {"used": list(found.used)}


def measurement_dict(measurement: Measurement) -> dict[str, Any]:
    """One `Measurement` as the README documents it."""
    alignment = measurement.alignment
    return {
        "reference": measurement.reference,
        "subject": measurement.subject,
        "tm_score": alignment.tm_score,
        "tm_score_by_subject": alignment.tm_score_by_subject,
        "rmsd": alignment.rmsd,
        "aligned_length": alignment.aligned_length,
        "sequence_identity": nullable(alignment.sequence_identity),
        "alignment": {
            "reference": alignment.reference_row,
            "subject": alignment.subject_row,
            "match": alignment.match_row,
        },
        "correspondence": alignment.correspondence,
        "lddt": to_nullable(measurement.lddt),
        "strain": to_nullable(measurement.strain),
        "distance_change": to_nullable(measurement.distance_change),
        "rotation": alignment.rotation.tolist(),
        "translation": alignment.translation.tolist(),
    }


def _summary(replicates: tuple[Measurement, ...]) -> dict[str, Any] | None:
    """Means over replicates under the names of one measurement, the replicates below.

    Alignment, rotation and translation are those of the first replicate.
    """
    if not replicates:
        return None
    first = measurement_dict(replicates[0])
    alignments = [m.alignment for m in replicates]
    means = {
        name: float(np.mean([getattr(a, name) for a in alignments]))
        for name in ("tm_score", "tm_score_by_subject", "rmsd")
    }
    tracks = {
        name: to_nullable(replicate_mean([getattr(m, name) for m in replicates]))
        for name in ("lddt", "strain", "distance_change")
    }
    return first | means | tracks | {"replicates": [measurement_dict(m) for m in replicates]}


def _from_dict(content: Mapping[str, Any]) -> Impact:
    if content.get("format") not in (IMPACT_FORMAT, FORMAT_1):
        raise ValueError(f"format is not {IMPACT_FORMAT}")
    wild_type = content["wild_type"]
    prediction = content["prediction"]
    floor = content["noise_floor"]
    return Impact(
        protein=protein_from({"sequence": wild_type} | content["protein"]),
        variant=Variant(wild_type, tuple(Change(**c) for c in content["changes"])),
        prediction=_prediction(prediction),
        baselines=Baselines(**content["baselines"]),
        replicates=tuple(_replicate(r) for r in content["structures"]),
        measurements=_measurements(content["measurement"]),
        as_published=_measurements(content["measurement_as_published"]),
        noise_floor=None if floor is None else NoiseFloor(_measurements(floor)),
        provenance=Provenance(**content["provenance"]),
    )


def _prediction(content: Mapping[str, Any]) -> Prediction:
    told, tracks = content.get("told", {}), content.get("tracks", {})
    effect = content.get("effect")  # format 1
    if effect is not None:
        told = {"effect": effect["score"], "p_damaging": effect["probability"]}
        if effect["site_rank"] is not None:
            told |= {
                "site_rank": effect["site_rank"],
                "percentile_site": 100 * (OTHERS_AT_SITE - effect["site_rank"]) / OTHERS_AT_SITE,
                "percentile_protein": effect["percentile"],
            }
        tracks = {"sensitivity": effect["sensitivity"]}
    return Prediction(
        content["tm_score"],
        from_nullable(content["lddt"]),
        ModelInfo(**content["model"]),
        tuple(content["flags"]),
        dict(told),
        {name: from_nullable(track) for name, track in tracks.items()},
    )


def _measurements(summary: Mapping[str, Any] | None) -> tuple[Measurement, ...]:
    return () if summary is None else tuple(_measurement(m) for m in summary["replicates"])


def _measurement(content: Mapping[str, Any]) -> Measurement:
    rows = content["alignment"]
    identity = content["sequence_identity"]
    return Measurement(
        reference=content["reference"],
        subject=content["subject"],
        alignment=StructuralAlignment(
            tm_score=content["tm_score"],
            tm_score_by_subject=content["tm_score_by_subject"],
            rmsd=content["rmsd"],
            sequence_identity=float("nan") if identity is None else identity,
            reference_row=rows["reference"],
            subject_row=rows["subject"],
            match_row=rows["match"],
            rotation=np.array(content["rotation"]),
            translation=np.array(content["translation"]),
            correspondence=content["correspondence"],
        ),
        lddt=from_nullable(content["lddt"]),
        strain=from_nullable(content["strain"]),
        distance_change=from_nullable(content["distance_change"]),
    )


def _replicate(content: Mapping[str, Any]) -> Replicate:
    reference, mutant = structure_from(content["reference"]), structure_from(content["mutant"])
    if reference is None or mutant is None:
        raise ValueError("a replicate lacks a structure")
    return Replicate(content["seed"], reference, mutant, structure_from(content["floor"]))
