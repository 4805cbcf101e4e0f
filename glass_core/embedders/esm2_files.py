"""Where ESM-2's weights lie, whether they are ESM-2's, and its vocabulary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glass_core.embedders.published import PUBLISHED, find_folder, has_weights
from glass_core.errors import ModelError, UnavailableError, one_line

MASK = "<"
"""Stands for a hidden letter; no sequence has it."""
_SPECIAL = ("<cls>", "<pad>", "<eos>", "<unk>")
_VOCABULARY = (*_SPECIAL, *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>")
TOKEN = {word: number for number, word in enumerate(_VOCABULARY)}
"""Number of each word, in the order of the published ``vocab.txt``."""
TOKEN[MASK] = TOKEN["<mask>"]
_MARKS = {
    "model_type": "esm",
    "position_embedding_type": "rotary",
    "vocab_size": len(_VOCABULARY),
    "pad_token_id": TOKEN["<pad>"],
    "mask_token_id": TOKEN["<mask>"],
}
"""What marks ESM-2 among the models of its family; ESM-1b has positions of another type."""
_SIZES = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers")
_MOST = 65_536
_SWITCHES: dict[str, type] = {
    "token_dropout": bool,
    "emb_layer_norm_before": bool,
    "layer_norm_eps": float,
}
_DEFAULT = "esm2-650m"


@dataclass(frozen=True)
class Source:
    """A folder of weights and what to call them.

    Attributes
    ----------
    folder : Path
        In the Hugging Face layout.
    name : str
        The repository, or the folder's name where it is not from the cache.
    version : str
        The repository's revision; '' for a folder.
    """

    folder: Path
    name: str
    version: str

    @property
    def title(self) -> str:
        """Such as ``ESM-2 650M``."""
        published = (one.title for one in PUBLISHED.values() if one.source == self.name)
        return next(published, f"ESM-2 {self.name.rpartition('/')[2]}")

    @property
    def licence(self) -> str:
        """Of the weights, as far as it is known."""
        published = (one.licence for one in PUBLISHED.values() if one.source == self.name)
        return next(published, "MIT, as ESM-2 is published")

    @property
    def advice(self) -> str:
        """How to get the weights."""
        return _advice(self.name)


def find_source(given: str) -> Source:
    """The weights that the setting ``esm2`` names.

    Parameters
    ----------
    given : str
        A folder, a repository that is looked up in the Hugging Face cache, or a name that
        ``glass models get`` takes; '' for the largest that was fetched by such a name.
        Nothing is downloaded.

    Raises
    ------
    UnavailableError
        They are not there; the message says how to get them.
    """
    given = given or _largest_fetched()
    if not given:
        raise UnavailableError(f"ESM-2: no weights are on this machine; {_advice(_DEFAULT)}")
    repository = PUBLISHED[given].source if given in PUBLISHED else given
    folder = find_folder(given, repository)
    if folder is None:
        raise UnavailableError(
            f"ESM-2: the weights '{given}' are not on this machine; {_advice(repository)}"
        )
    folder = folder.absolute()
    source = Source(folder, folder.name, "")
    if folder.parent.name == "snapshots":
        cached = folder.parent.parent.name.removeprefix("models--").replace("--", "/")
        source = Source(folder, cached, f"revision {folder.name[:12]}")
    if not has_weights(folder):
        raise UnavailableError(f"{source.title}: the folder holds no weights; {source.advice}")
    return source


def _largest_fetched() -> str:
    """The name of published weights; '' where none were fetched."""
    names = [name for name in PUBLISHED if name.startswith("esm2-")]
    for name in sorted(names, key=lambda n: PUBLISHED[n].megabytes, reverse=True):
        folder = find_folder(name, PUBLISHED[name].source)
        if folder is not None and has_weights(folder):
            return name
    return ""


def _advice(source: str) -> str:
    """By the command for `source`, where it is published by that name, else for the default."""
    named = (one for one in PUBLISHED.values() if source in (one.name, one.source))
    published = next(named, PUBLISHED[_DEFAULT])
    return (
        f"run: {published.command}  ({published.size}, {published.licence}), and set "
        f"GLASS_ESM2={published.name}."
    )


def read_config(source: Source) -> dict[str, Any]:
    """What of ``config.json`` describes the network, for `transformers.EsmConfig`.

    Nothing else of the file is used, so that it chooses no code, quantisation or precision.

    Raises
    ------
    ModelError
        It, or ``vocab.txt`` where there is one, is not ESM-2's.
    """
    try:
        told = json.loads((source.folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{source.title}: config.json cannot be read ({one_line(error)}); {source.advice}"
        ) from error
    config = told if isinstance(told, dict) else {}
    marked = all(config.get(key) == value for key, value in _MARKS.items())
    if not marked or config.get("is_folding_model"):
        raise ModelError(f"{source.name}: is no ESM-2 model, by its config.json.")
    words = source.folder / "vocab.txt"
    if words.is_file() and tuple(words.read_text(errors="replace").split()) != _VOCABULARY:
        raise ModelError(f"{source.name}: is no ESM-2 model, by its vocab.txt.")
    sized = all(type(config.get(key)) is int and 0 < config[key] <= _MOST for key in _SIZES)
    typed = all(type(config.get(key)) is kind for key, kind in _SWITCHES.items())
    if not sized or not typed:
        raise ModelError(
            f"{source.name}: its config.json lacks settings of ESM-2, or has odd ones."
        )
    return {key: config[key] for key in (*_MARKS, *_SIZES, *_SWITCHES) if key != "model_type"}
