"""A database of sequences with one vector each, on disk in one folder.

``vectors.npy`` holds unit vectors, shape=(n, Z), in half precision, or in single bytes that
``meta.json`` says how to scale; it is mapped, not read. ``records.parquet`` holds who they
are, in the same order. ``meta.json`` says which model made them, and when; it is written
last, so that a folder without it is not finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import InputError, ModelError, RecordError, SequenceError, one_line
from glass_core.models.predictor import Predictor
from glass_core.records import require, require_sizes
from glass_core.search.entry import Entry

DATABASE_FORMAT = "glass-database/1"
VECTORS_FILE, RECORDS_FILE, META_FILE = "vectors.npy", "records.parquet", "meta.json"
VECTOR_TYPES = ("float16", "int8")
ROWS_IN_GROUP = 2_000
"""Records that are read together when one of them is asked for."""
_WIDEST = 65_536


@dataclass(frozen=True)
class VectorModel:
    """What made vectors; only vectors of the same can be compared.

    Attributes
    ----------
    name, version, embedder : str
        As `ModelInfo` has them.
    pooling, sha256 : str
        What makes one vector of the residues, and the hash of the weights behind it.
    """

    name: str
    version: str
    sha256: str
    embedder: str
    pooling: str

    @staticmethod
    def of(predictor: Predictor) -> VectorModel:
        """What `predictor.vectors` are made by."""
        info, pooling = predictor.info, predictor.pooling
        return VectorModel(info.name, info.version, pooling.sha256, info.embedder, pooling.name)

    def __str__(self) -> str:
        return f"{self.name} {self.version} (vectors {self.sha256[:12]})"


@dataclass(frozen=True)
class DatabaseMeta:
    """What a database is.

    Attributes
    ----------
    model : VectorModel
    dimension, count, residues : int
    created : str
        Date, ISO 8601.
    vector_type : {"float16", "int8"}
    scales : tuple of float
        Per dimension, what a single byte is multiplied by; empty where they are not bytes.
    licence, origin : str
        Of what the database holds, where it is known.
    left_out : mapping
        Reason -> how many records of the input were not taken.
    renamed : int
        Records that got another id when they were joined, since an earlier one had theirs with
        another sequence.
    """

    model: VectorModel
    dimension: int
    count: int
    residues: int
    created: str
    vector_type: str = "float16"
    scales: tuple[float, ...] = ()
    licence: str = ""
    origin: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    renamed: int = 0

    def __post_init__(self) -> None:
        require_sizes(self, ("dimension",), _WIDEST)
        require(self.count >= 0, "count", "is not negative")
        require(self.vector_type in VECTOR_TYPES, "vector_type", f"is one of {VECTOR_TYPES}")
        require(
            len(self.scales) == (self.dimension if self.vector_type == "int8" else 0),
            "scales",
            "has one number for each dimension of bytes",
        )

    def write(self, folder: Path) -> None:
        """Finish the database in `folder`."""
        content = {"format": DATABASE_FORMAT, **asdict(self)}
        path = folder / META_FILE
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)

    @staticmethod
    def read(folder: Path) -> DatabaseMeta:
        """Read it back.

        Raises
        ------
        InputError
            No database, one that is not finished, or one that was damaged.
        """
        path = folder / META_FILE
        if not path.is_file():
            half = (folder / VECTORS_FILE).exists() or (folder / PIECES_FOLDER).is_dir()
            raise InputError(
                f"{folder}: is a database that was not finished; build it again, which goes on "
                "where it stopped."
                if half
                else f"{folder}: is no database; make one with: glass database build."
            )
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != DATABASE_FORMAT:
                raise ValueError(f"format is not {DATABASE_FORMAT}")
            known = {one.name for one in fields(DatabaseMeta)}
            values = {name: value for name, value in content.items() if name in known}
            values["model"] = VectorModel(**values["model"])
            values["scales"] = tuple(values["scales"])
            return DatabaseMeta(**values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecordError) as error:
            raise InputError(
                f"{folder}: {META_FILE} cannot be used ({one_line(error)})."
            ) from error


def require_free(folder: Path, cure: str = "choose another folder") -> None:
    """Hold that no database is in `folder`.

    Raises
    ------
    InputError
        There is one; `cure` says what to do.
    """
    if (folder / META_FILE).exists():
        raise InputError(f"{folder}: holds a database; {cure}.")


PIECES_FOLDER = "pieces"
"""Of a database that is being built."""


@dataclass(frozen=True, eq=False)
class Database:
    """A finished database, open for reading.

    Attributes
    ----------
    folder : Path
    meta : DatabaseMeta
    vectors : ndarray, shape=(n, Z), dtype=float16 or int8
        Mapped from the file.
    """

    folder: Path
    meta: DatabaseMeta
    vectors: NDArray[Any] = field(repr=False)

    @staticmethod
    def open(folder: Path) -> Database:
        """Open the database in `folder`; takes no time, however large it is.

        Raises
        ------
        InputError
            No database, one that is not finished, or files that do not belong together.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        meta = DatabaseMeta.read(folder)
        try:
            # Mapped so that writing would change memory alone: torch takes no read-only arrays.
            vectors = np.load(folder / VECTORS_FILE, mmap_mode="c", allow_pickle=False)
            rows = pq.read_metadata(folder / RECORDS_FILE).num_rows
        except (OSError, ValueError, EOFError, pa.ArrowException) as error:
            raise InputError(f"{folder}: is damaged ({one_line(error)}); build it anew.") from error
        shape = (meta.count, meta.dimension)
        if vectors.shape != shape or vectors.dtype != meta.vector_type or rows != meta.count:
            raise InputError(
                f"{folder}: is damaged ({rows:,} records, vectors of shape {vectors.shape} and "
                f"type {vectors.dtype}, where {META_FILE} says {shape} and {meta.vector_type}); "
                "build it anew."
            )
        return Database(folder, meta, vectors)

    def __len__(self) -> int:
        return self.meta.count

    def floats(self, begin: int, end: int) -> NDArray[np.float32]:
        """Some of the vectors in single precision, shape=(end - begin, Z) or fewer at the end."""
        some = self.vectors[begin:end].astype(np.float32)
        return some * np.array(self.meta.scales, np.float32) if self.meta.scales else some

    def require_model(self, model: VectorModel) -> None:
        """Hold that `model` made these vectors.

        Raises
        ------
        ModelError
            Another did; names both.
        """
        if (model.sha256, model.pooling) != (self.meta.model.sha256, self.meta.model.pooling):
            raise ModelError(
                f"{self.folder}: its vectors are those of {self.meta.model}, which cannot be "
                f"compared with those of {model}; search with --model {self.meta.model.name}, or "
                "build a database with the other model."
            )

    def entries(self, rows: Sequence[int]) -> list[Entry]:
        """The records of some rows, in their order.

        Raises
        ------
        InputError
            The file of records is damaged.
        """
        import pyarrow.parquet as pq

        found: dict[int, Entry] = {}
        with reading_records(self.folder), pq.ParquetFile(self.folder / RECORDS_FILE) as file:
            begin = 0
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                wanted = sorted({row for row in rows if begin <= row < begin + size})
                if wanted:
                    table = file.read_row_group(group, columns=list(COLUMNS))
                    table = table.take([row - begin for row in wanted])
                    made = (Entry(**record) for record in table.to_pylist())
                    found |= zip(wanted, made, strict=True)
                begin += size
        return [found[row] for row in rows]

    def row_of(self, identifier: str) -> int | None:
        """Where the record with an id stands; None where there is none."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        with reading_records(self.folder):
            ids = pq.read_table(self.folder / RECORDS_FILE, columns=["id"])["id"]
        row = int(pc.index(ids, identifier).as_py())
        return None if row < 0 else row


@contextmanager
def reading_records(folder: Path) -> Iterator[None]:
    """Tell of a database whose records cannot be read while they are.

    Raises
    ------
    InputError
    """
    import pyarrow as pa

    try:
        yield
    except (OSError, EOFError, pa.ArrowException, RecordError, SequenceError, TypeError) as error:
        raise InputError(
            f"{folder}: its records are damaged ({one_line(error)}); build it anew."
        ) from error


COLUMNS = tuple(one.name for one in fields(Entry))
"""Of ``records.parquet``, beside ``sha256`` and ``length`` of the sequence."""
