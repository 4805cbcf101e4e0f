"""What a head is.

A head maps embeddings to numbers that are told. It is one file of this folder, called as the
head is, with a `CONFIG` (a frozen record) and a `NETWORK` (a module made from it), and one
entry of `kinds.HEADS`; loading, saving, predicting and every table follow from these.

Importing this loads no torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from glass_core.records import Column

if TYPE_CHECKING:
    from torch import nn

    from glass_core.embedders.base import Embedding
    from glass_core.embedders.mpnn import StructureEmbedding
    from glass_core.models.prediction import Table
    from glass_core.protein.protein import Protein

Takes = Literal["sequence", "structure", "either", "tables"]
"""The embedded sequence of the wild type; its structure as well; that where there is one;
what other heads tell."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """What the embedders make of a wild type.

    Attributes
    ----------
    sequence : Embedding
    structure : StructureEmbedding or None
        None without a structure, or where no head or no weights are there to read it.
    """

    sequence: Embedding
    structure: StructureEmbedding | None = None


class HeadConfig(Protocol):
    """The shape of a head, as the card holds it."""

    @property
    def width(self) -> int | None:
        """Width of the embedding of the sequence that the head takes; None where it takes none."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        ...


@runtime_checkable
class TableHead(Protocol):
    """A head that says of every single substitution what it does, from the wild type alone."""

    def table(self, protein: Protein, embedded: Embedded) -> Table:
        """Everything it tells about `protein`."""
        ...


@runtime_checkable
class CombiningHead(Protocol):
    """A head that makes one table of what the others tell."""

    def combine(self, protein: Protein, tables: Sequence[Table]) -> Table | None:
        """Its table; None where one of those it needs is not there."""
        ...


@dataclass(frozen=True)
class HeadKind:
    """One kind of head.

    Attributes
    ----------
    name : str
        In cards; also the name of its module in this folder.
    file : str
        Its weights in a model's folder.
    tells : mapping
        Column of a screen's table -> what it means.
    takes : {"sequence", "structure", "either", "tables"}
        One that takes the structure is asked only where there is one, one that takes
        either always, and one that takes tables after all others.
    """

    name: str
    file: str
    tells: Mapping[str, Column] = field(default_factory=dict)
    takes: Takes = "sequence"

    @property
    def reads_structure(self) -> bool:
        """Whether it goes by the structure of the wild type, where there is one."""
        return self.takes in ("structure", "either")

    @property
    def config(self) -> type[Any]:
        """The record of its shape, a `HeadConfig`."""
        kind: type[Any] = self._module.CONFIG
        return kind

    @property
    def network(self) -> type[nn.Module]:
        """The module that is made from it."""
        kind: type[nn.Module] = self._module.NETWORK
        return kind

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"{__package__}.{self.name}")
