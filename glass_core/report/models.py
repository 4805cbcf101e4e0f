"""The installed models, and what they need, in words for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glass_core.embedders.kinds import PROTT5, embedder_class
from glass_core.errors import GlassError
from glass_core.models.card import ModelCard
from glass_core.models.evaluation import read_evaluations
from glass_core.models.heads.kinds import HEADS
from glass_core.models.properties.kinds import PROPERTIES
from glass_core.models.properties.registry import list_property_models
from glass_core.models.registry import ModelEntry, list_models
from glass_core.report.evidence.properties import property_words
from glass_core.report.evidence.words import can_and_cannot
from glass_core.settings import Settings


@dataclass(frozen=True)
class ModelDescription:
    """A model in words and figures for a reader.

    `limits` is what its card says of itself, `found` what its evaluation records say,
    empty without any.
    """

    name: str
    version: str
    embedder: str
    licence: str
    megabytes: float
    heads: tuple[str, ...]
    limits: tuple[str, ...]
    found: tuple[str, ...]
    unavailable_reason: str | None


def describe_models(settings: Settings) -> tuple[ModelDescription, ...]:
    """`list_models` for a reader, and the models of properties behind them."""
    return (
        *(_describe(entry) for entry in list_models(settings)),
        *(_of_properties(folder) for folder in list_property_models(settings).values()),
    )


def _of_properties(folder: Path) -> ModelDescription:
    """A model of properties; one whose card cannot be read says so."""
    try:
        card = ModelCard.read(folder)
        found = tuple(property_words(record) for record in read_evaluations(folder).values())
    except GlassError as error:
        return ModelDescription(folder.name, "", "?", "not stated", 0.0, (), (), (), str(error))
    return ModelDescription(
        name=f"{card.name} (properties)",
        version=card.version,
        embedder=f"{card.embedder}, with a joint encoder of structure and sequence",
        licence=str(card.content.get("licence", "not stated")),
        megabytes=sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6,
        heads=tuple(kind.title for kind in PROPERTIES if kind.head in card.heads),
        limits=own_words(card),
        found=found,
        unavailable_reason=None,
    )


def _describe(entry: ModelEntry) -> ModelDescription:
    content = entry.card.content if entry.card else {}
    files = [entry.source] if entry.source.is_file() else list(entry.source.glob("*.safetensors"))
    return ModelDescription(
        name=entry.card.name if entry.card else entry.name,
        version=entry.card.version if entry.card else f"({entry.version})",
        embedder=entry.embedder,
        licence=str(content.get("licence", "not stated")),
        megabytes=sum(f.stat().st_size for f in files) / 1e6,
        heads=_heads(entry),
        limits=own_words(entry.card),
        found=_found(entry),
        unavailable_reason=entry.unavailable_reason,
    )


def own_words(card: ModelCard | None) -> tuple[str, ...]:
    """What a model's card says of its limits, beside what its records say."""
    limits = card.content.get("limits", ()) if card else ()
    return tuple(map(str, limits)) if isinstance(limits, list) else ()


def _found(entry: ModelEntry) -> tuple[str, ...]:
    """What its records say, or why they cannot be read; nothing without any."""
    if entry.card is None:
        return ()
    try:
        records = read_evaluations(entry.source)
    except GlassError as error:
        return (str(error),)
    return can_and_cannot(records) if records else ()


def _heads(entry: ModelEntry) -> tuple[str, ...]:
    """What gives each number of a model, the last head that tells it."""
    teller = {
        column.title or name: kind.name
        for kind in HEADS
        if kind.name in entry.heads
        for name, column in kind.tells.items()
    }
    heads = dict.fromkeys(teller.values())
    return tuple(
        f"{name} head: {', '.join(title for title, head in teller.items() if head == name)}"
        for name in heads
    )


@dataclass(frozen=True)
class Installation:
    """Whether the ProtT5 weights are here and how to get them, what computes, what is kept."""

    prott5: str
    command: str
    device: str
    cache: str


def installation(settings: Settings) -> Installation:
    """What is here beside the models, in words."""
    from glass_core.embedders.cache import cache_bytes
    from glass_core.embedders.device import resolve_device
    from glass_core.embedders.prott5 import DOWNLOAD_GB, weights_command

    reason = embedder_class(PROTT5).unavailable_reason(settings)
    size = DOWNLOAD_GB.get(settings.prott5)
    words = f"`{settings.prott5}`: " + ("installed." if reason is None else "not installed.")
    if size is not None:
        words += f" About {size} GB. Nothing is downloaded unasked; fetch it with:"
    try:
        device = str(resolve_device(settings.device))
    except GlassError as error:
        device = str(error)
    kept = cache_bytes(settings.cache.expanduser()) / 1e6
    command = weights_command(settings.prott5)
    return Installation(words, command, device, f"{settings.cache} ({kept:.0f} MB)")
