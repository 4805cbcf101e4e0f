"""Which models there are, which can be used here, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from glass_core.embedders.base import Embedder, Luggage
from glass_core.embedders.device import resolve_device
from glass_core.embedders.kinds import PROTT5, embedder_class
from glass_core.embedders.mpnn import StructureEmbedder
from glass_core.errors import GlassError, ModelError, UnavailableError
from glass_core.models.card import ModelCard, file_sha256
from glass_core.models.checkpoint import load_authors_checkpoint, load_heads
from glass_core.models.evaluation import Evaluation, read_evaluations
from glass_core.models.fold_chance import FoldChances
from glass_core.models.heads.kinds import head_kind
from glass_core.models.prediction import ModelInfo
from glass_core.models.predictor import Predictor, SiamesePredictor
from glass_core.models.tmvec import TmVecPredictor, configuration_of, load_tmvec
from glass_core.settings import Settings

DEFAULT_MODEL = "compact"
Kind = Literal["glass", "tmvec"]
GLASS: Kind = "glass"
TMVEC: Kind = "tmvec"
_CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class ModelEntry:
    """A model this installation knows of.

    Attributes
    ----------
    name : str
        What `load_predictor` takes.
    source : Path
        A folder in our format, or an authors' checkpoint file.
    embedder : str
        Kind; see `embedders.kinds`.
    card : ModelCard or None
        None for an authors' checkpoint, which carries none.
    unavailable_reason : str or None
        Why it cannot be used here and what to do; None when it can.
    kind : {"glass", "tmvec"}
        Whose method: that of GLASS, or TM-Vec, which tells TM-scores alone. A checkpoint
        is TM-Vec's where its configuration lies beside it; GLASS's authors' holds its own.
    """

    name: str
    source: Path
    embedder: str
    card: ModelCard | None
    unavailable_reason: str | None
    kind: Kind = GLASS

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of its heads."""
        if self.card is not None:
            return tuple(self.card.heads)
        return ("tmvec",) if self.kind == TMVEC else ("siamese",)

    @property
    def version(self) -> str:
        """As the card states it, else whose checkpoint it is."""
        if self.card is not None:
            return self.card.version
        return "checkpoint of TM-Vec" if self.kind == TMVEC else "authors' checkpoint"


def list_models(settings: Settings) -> tuple[ModelEntry, ...]:
    """Every model in the assets and in the user's model folder, the default first."""
    entries: dict[str, ModelEntry] = {}
    for root in (settings.assets / "models", settings.models.expanduser()):
        if not root.is_dir():
            continue
        for path in sorted(root.iterdir()):
            if path.is_dir():
                entries.setdefault(path.name, _describe_folder(path, settings))
            elif path.suffix in _CHECKPOINT_SUFFIXES:
                entries.setdefault(path.stem, _describe_checkpoint(path, settings))
    return tuple(sorted(entries.values(), key=lambda e: (e.name != DEFAULT_MODEL, e.name)))


def records_of(settings: Settings, name: str) -> dict[str, Evaluation]:
    """The evaluation records of an installed model, by set; none of one that is not installed.

    Raises
    ------
    InputError
        A record that cannot be read.
    """
    folder = _folder_of(settings, name)
    return {} if folder is None else read_evaluations(folder)


def fold_chances_of(settings: Settings, name: str) -> FoldChances | None:
    """How often an installed model's scores mean the same fold; None where nobody has counted.

    Raises
    ------
    ModelError
        It cannot be used.
    """
    folder = _folder_of(settings, name)
    return None if folder is None else FoldChances.read(folder)


def _folder_of(settings: Settings, name: str) -> Path | None:
    """Where an installed model in our format lies; None for any other."""
    for entry in list_models(settings):
        if entry.name == name and entry.card is not None:
            return entry.source
    return None


def load_predictor(settings: Settings, name: str | Path = DEFAULT_MODEL) -> Predictor:
    """Load a model by name, or the one in a folder, onto the settings' device.

    Raises
    ------
    UnavailableError
        No such model, or it cannot be used here; the message says what to do.
    ModelError
        Its files are damaged.

    Examples
    --------
    >>> from glass_core import Settings, load_predictor
    >>> predictor = load_predictor(Settings(device="cpu"))
    >>> predictor.info.name, predictor.info.device
    ('compact', 'cpu')
    """
    entry = _usable(name, settings)
    if entry.kind == TMVEC:
        return _load_tmvec(entry, settings)
    return _load_siamese(entry, settings)


@lru_cache(maxsize=1)
def kept_predictor(settings: Settings, name: str | Path) -> Predictor:
    """As `load_predictor`, loaded once in a process: for pieces of work, here or on a worker."""
    return load_predictor(settings, name)


def load_siamese(settings: Settings, name: str | Path = DEFAULT_MODEL) -> SiamesePredictor:
    """As `load_predictor`, a model of GLASS's own method with all its heads.

    Raises
    ------
    UnavailableError
        No such model, or it cannot be used here; the message says what to do.
    ModelError
        Its files are damaged, or it is a model of another method.
    """
    entry = _usable(name, settings)
    if entry.kind == TMVEC:
        raise ModelError(f"model '{entry.name}': is TM-Vec's, and has no heads of GLASS.")
    return _load_siamese(entry, settings)


def _usable(name: str | Path, settings: Settings) -> ModelEntry:
    entry = _describe_folder(name, settings) if isinstance(name, Path) else _named(name, settings)
    if entry.unavailable_reason is not None:
        raise UnavailableError(f"model '{entry.name}': {entry.unavailable_reason}")
    return entry


def _load_siamese(entry: ModelEntry, settings: Settings) -> SiamesePredictor:
    device, card = resolve_device(settings.device), entry.card
    heads: dict[str, nn.Module]
    if card is not None:
        heads, weights, vectors = load_heads(card), card.weights_sha256, _vectors_sha256(card)
    else:
        weights = vectors = file_sha256(entry.source)
        heads = {"siamese": load_authors_checkpoint(entry.source)}
    embedder = _load_embedder(entry, settings, device)
    structures, blind_because = None, ""
    if any(head_kind(name).reads_structure for name in heads):
        try:
            structures = StructureEmbedder.load(settings, device)
        except UnavailableError as error:
            blind_because = str(error)
    info = _info(entry, embedder, weights, structures)
    return SiamesePredictor(embedder, heads, info, structures, blind_because, vectors)


def _vectors_sha256(card: ModelCard) -> str:
    """Of the weights behind one vector of a sequence: the embedder's and one head's.

    So another head can join the model, and databases of vectors stay of use.
    """
    of_heads = {head_kind(name).file for name in card.heads}
    pooling = head_kind("fold" if "fold" in card.heads else "siamese").file
    return card.sha256_of(n for n in card.sha256 if n == pooling or n not in of_heads)


def _load_tmvec(entry: ModelEntry, settings: Settings) -> TmVecPredictor:
    network, device = load_tmvec(entry.source), resolve_device(settings.device)
    embedder = _load_embedder(entry, settings, device)
    info = _info(entry, embedder, file_sha256(entry.source))
    return TmVecPredictor(embedder, network, info)


def _info(
    entry: ModelEntry, embedder: Embedder, sha256: str, structures: StructureEmbedder | None = None
) -> ModelInfo:
    """What a loaded model says of itself."""
    card = entry.card
    return ModelInfo(
        name=card.name if card else entry.name,
        version=entry.version,
        sha256=sha256,
        embedder=embedder.name,
        device=str(embedder.device),
        dtype=str(embedder.dtype).removeprefix("torch."),
        max_length=card.max_length if card else None,
        structure_embedder=structures.name if structures else "",
    )


def load_embedder(settings: Settings, kind: str) -> Embedder:
    """An embedder by kind, with the weights of the first model that brings them.

    Raises
    ------
    UnavailableError
        Its weights are missing.
    """
    device = resolve_device(settings.device)
    for entry in list_models(settings):
        if entry.embedder == kind and entry.unavailable_reason is None:
            return _load_embedder(entry, settings, device)
    return embedder_class(kind).of_model(None, settings, device)


def _named(name: str, settings: Settings) -> ModelEntry:
    entries = {entry.name: entry for entry in list_models(settings)}
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise UnavailableError(f"model '{name}': is not installed; installed are: {known}.")
    return entries[name]


def _load_embedder(entry: ModelEntry, settings: Settings, device: torch.device) -> Embedder:
    card = entry.card
    luggage = (
        None if card is None else Luggage(entry.source, f"{card.name} {card.version}", card.content)
    )
    return embedder_class(entry.embedder).of_model(luggage, settings, device)


def _describe_checkpoint(path: Path, settings: Settings) -> ModelEntry:
    reason = embedder_class(PROTT5).unavailable_reason(settings)
    kind: Kind = GLASS if configuration_of(path) is None else TMVEC
    return ModelEntry(path.stem, path, PROTT5, None, reason, kind)


def _describe_folder(folder: Path, settings: Settings) -> ModelEntry:
    try:
        card = ModelCard.read(folder)
        for head in card.heads:
            head_kind(head)
        reason = embedder_class(card.embedder).unavailable_reason(settings)
    except GlassError as error:
        return ModelEntry(folder.name, folder, "?", None, str(error))
    return ModelEntry(folder.name, folder, card.embedder, card, reason)
