"""What a result was made with, in the names and words that reports and comparisons share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glass_core.impact.provenance import Provenance
from glass_core.models.prediction import ModelInfo

NOT_USED = "not used"
_SOFTWARE = {"glass": "GLASS", "python": "Python"}
_INPUTS = {
    "wild_type_sha256": "sequence of the wild type, SHA-256",
    "mutant_sha256": "sequence of the mutant, SHA-256",
    "structure": "structure",
    "structure_origin": "origin of the structure",
    "structure_sha256": "structure as GLASS writes it, SHA-256",
    "uniprot": "UniProt entry",
    "retrieved": "looked up",
}
_PROTOCOL = {
    "remodeller": ("remodelled with", ""),
    "mutant_structure": ("mutant structure, given", ""),
    "seeds": ("seeds", ""),
    "protocol": ("protocol", ""),
    "sphere_radius": ("radius of the sphere that may move", "Å"),
    "peak_temperature": ("hottest temperature", "K"),
    "anneal_steps": ("steps at each temperature", ""),
    "timeout_s": ("time limit of a seed", "s"),
    "threads": ("threads", ""),
}
_OF_ANNEALING = ("peak_temperature", "anneal_steps")
_WORDS = {"": NOT_USED, "None": NOT_USED, "True": "yes", "False": "no"}


def conditions(model: ModelInfo | None, provenance: Provenance) -> dict[str, str]:
    """What a result was made with: name for a reader -> value in words.

    Parameters
    ----------
    model : ModelInfo or None
        None where a table names it in each row.
    """
    return {
        **({} if model is None else dict(_model(model))),
        **{_INPUTS.get(name, _spaced(name)): text for name, text in provenance.inputs.items()},
        **dict(_protocol(provenance.protocol)),
        **{_SOFTWARE.get(name, name): text for name, text in provenance.versions.items()},
        **{f"definition of {_spaced(name)}": text for name, text in provenance.definitions.items()},
    }


def _model(model: ModelInfo) -> Iterator[tuple[str, str]]:
    yield "model", str(model)
    yield "weights of the model, SHA-256", model.sha256
    yield "sequence read by", model.embedder
    yield "structure read by", model.structure_embedder or NOT_USED
    yield "computed on", model.device
    yield "precision", model.dtype
    longest = "not known" if model.max_length is None else f"{model.max_length} residues"
    yield "longest sequence in training", longest


def _protocol(protocol: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in protocol.items():
        name, unit = _PROTOCOL.get(key, (_spaced(key), ""))
        words = _WORDS.get(text, text)
        if key == "threads" and words == NOT_USED:
            words = "one per core"
        if key in _OF_ANNEALING and protocol.get("protocol") == "minimise":
            words = NOT_USED
        if unit and words != NOT_USED:
            words = f"{words.removesuffix('.0')} {unit}"
        yield name, words.replace(",", ", ") if key == "seeds" else words


def _spaced(name: str) -> str:
    return name.replace("_", " ")
