"""Tables of variants as files: CSV, TSV and Parquet, never more than fits."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import dropwhile
from typing import TYPE_CHECKING

from glass_core.errors import InputError, one_line

if TYPE_CHECKING:
    import pandas as pd

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
MAX_ROWS = 1_000_000
MAX_COLUMNS, MAX_CELLS = 2_000, 20_000_000
MAX_TABLE_BYTES = 500_000_000
_PIECE_ROWS = 1000
VARIANT_NAMES = (
    "variant",
    "mutant",
    "mutation",
    "mut",
    "hgvs_pro",
    "hgvsp",
    "hgvs",
    "aa_change",
    "protein_change",
    "substitution",
)
PROTEIN_NAMES = ("protein", "protein_id", "protein_name", "uniprot", "accession", "gene", "target")
ENTRY_NAMES = ("name", "id")
"""Name the protein where several are given; elsewhere they often number the rows."""
MEASURED_NAMES = (
    "measured_value",
    "score",
    "dms_score",
    "fitness",
    "ddg",
    "measured",
    "value",
    "activity",
)
"""First the column of GLASS's own tables, of which one name serves to read and to write."""
FIT_NAMES = ("dms_score_bin",)
"""Labels in which 1 means fit: ProteinGym's."""
LABEL_NAMES = (
    "label",
    *FIT_NAMES,
    "clinical_significance",
    "clinvar",
    "class",
    "pathogenicity",
    "pathogenic",
    "damaging",
)
_LOOKS_LIKE_VARIANT = re.compile(r"(p\.)?\(?[A-Za-z]{1,3}\d+([A-Za-z]{1,3}|del|=)\)?")


def read_table(content: bytes, file_name: str) -> pd.DataFrame:
    """A CSV, TSV or Parquet table as text columns.

    Lines before the header that begin with ``#`` are passed over. Where the first line
    itself holds a variant there is no header, and the columns are called ``column 1``, ...

    Raises
    ------
    InputError
        It is none of them, or has too many rows.
    """

    try:
        if file_name.lower().endswith(".parquet"):
            table = read_parquet(content)
        else:
            table = _text_table(content.decode("utf-8-sig"))
    except (ValueError, OSError, csv.Error, NotImplementedError, OverflowError) as error:
        raise InputError(
            f"{file_name}: is no table that can be read ({one_line(error)}); give CSV, TSV or "
            "Parquet with a header."
        ) from error
    if table.empty:
        raise InputError(f"{file_name}: has a header but no rows.")
    if len(table) > MAX_ROWS:
        raise InputError(f"{file_name}: has {len(table):,} rows, more than {MAX_ROWS:,}; split it.")
    return table.rename(columns=str)


def read_parquet(content: bytes) -> pd.DataFrame:
    """A Parquet table, read piece by piece, for a small file may unpack to any size.

    Raises
    ------
    InputError
        Too many rows, or too much in them.
    ValueError, OSError
        No such file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    if file.metadata.num_rows > MAX_ROWS:
        raise InputError(
            f"the table: has {file.metadata.num_rows:,} rows, more than {MAX_ROWS:,}; split it."
        )
    if file.metadata.num_columns > MAX_COLUMNS:
        raise InputError(f"the table: has more than {MAX_COLUMNS:,} columns; keep what is needed.")
    pieces, size = [], 0
    for packed in file.iter_batches(batch_size=_PIECE_ROWS):
        piece = pa.RecordBatch.from_arrays(
            [
                column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
                for column in packed.columns
            ],
            names=packed.schema.names,
        )
        size += piece.nbytes
        if size > MAX_TABLE_BYTES:
            raise InputError(
                f"the table: unpacks to more than {MAX_TABLE_BYTES // 10**6} MB; keep the columns "
                "of the variants only."
            )
        piece.validate(full=True)
        pieces.append(piece)
    # What pandas noted beside the columns is passed over: they are all that counts.
    whole = pa.Table.from_batches(pieces) if pieces else file.schema_arrow.empty_table()
    return whole.to_pandas(ignore_metadata=True)


def _text_table(text: str) -> pd.DataFrame:
    import pandas as pd

    lines = list(dropwhile(_before_header, text.splitlines()))
    if not lines:
        raise ValueError("it is empty")
    separator = max("\t,;", key=lines[0].count)
    if lines[0].count(separator) >= MAX_COLUMNS:
        raise ValueError(f"it has more than {MAX_COLUMNS:,} columns")
    if sum(line.count(separator) + 1 for line in lines) > MAX_CELLS:
        raise ValueError(f"it has more than {MAX_CELLS:,} cells")
    rows = [row for row in csv.reader(lines, delimiter=separator, strict=True) if any(row)]
    if not rows:
        raise ValueError("it is empty")
    header = [cell.strip() for cell in rows[0]]
    header[0] = header[0].lstrip("# ")
    if any(_LOOKS_LIKE_VARIANT.fullmatch(cell) for cell in header):
        header = [f"column {n}" for n in range(1, len(header) + 1)]
    else:
        rows = rows[1:]
    names: Counter[str] = Counter()
    for place, name in enumerate(header):
        names[name] += 1
        header[place] = name if names[name] == 1 else f"{name}.{names[name]}"
    width = len(header)
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows], columns=header, dtype=str)


def _before_header(line: str) -> bool:
    return not line.strip() or (line.startswith("#") and not _is_header(line))


def _is_header(line: str) -> bool:
    words = {w.strip().lower() for w in re.split(r"[,;\t]", line.lstrip("# "))}
    return bool(words & {*VARIANT_NAMES, *MEASURED_NAMES, *LABEL_NAMES})
