"""Tables of variants as files: CSV, TSV and Parquet, never more than fits."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import dropwhile, islice
from typing import TYPE_CHECKING

from glass_core.errors import InputError, one_line, shown
from glass_core.inputs.text import decode

if TYPE_CHECKING:
    import pandas as pd

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
MAX_ROWS = 1_000_000
MAX_COLUMNS, MAX_CELLS = 2_000, 20_000_000
MAX_TABLE_BYTES = 500_000_000
_PIECE_ROWS, _LOOKED_AT = 1000, 50
_SEPARATOR_LINE = re.compile(r"\"?sep=(\\t|[,;\t|])\"?", re.IGNORECASE)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_FIGURE = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
VARIANT_NAMES = (
    "variant",
    "mutant",
    "mutation",
    "mut",
    "hgvs_pro",
    "hgvsp",
    "hgvs",
    "aa_change",
    "substitution",
    "name",
    "protein_change",
)
"""ClinVar's name of a variant stands before its protein changes, which are of all isoforms."""
ALTERNATIVES = ("protein_change",)
"""Columns of which a cell tells one variant in several isoforms' numbers."""
PROTEIN_NAMES = (
    "protein",
    "protein_id",
    "protein_name",
    "uniprot",
    "uniprot_id",
    "accession",
    "gene",
    "gene_symbol",
    "genesymbol",
    "target",
)
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
    "germline_classification",
    "clinical_significance",
    "clinicalsignificance",
    "clinical_significance_last_reviewed",
    "clinsigsimple",
    "clin_sig",
    "clnsig",
    "significance",
    "clinical",
    "verdict",
    "clinvar",
    "classification",
    "class",
    "pathogenicity",
    "pathogenic",
    "damaging",
)
_LOOKS_LIKE_VARIANT = re.compile(r"(p\.)?\(?[A-Za-z]{1,3}\d+([A-Za-z]{1,3}|del|=)\)?")


def plain_name(heading: str) -> str:
    """A heading as it is looked up: lower case, words joined by underscores."""
    return re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")


def as_table(content: bytes, file_name: str) -> pd.DataFrame | None:
    """The table that a file holds; None where it is a list of variants, or sequences.

    Files called .csv, .tsv and .parquet are tables; of others the content decides, see
    `looks_like_table`.

    Raises
    ------
    InputError
        It is called a table and cannot be read as one, or is no text.
    """
    if file_name.lower().endswith(TABLE_SUFFIXES):
        return read_table(content, file_name)
    if looks_like_table(decode(content, file_name)):
        return read_table(content, file_name)
    return None


def is_parquet(file_name: str) -> bool:
    """Whether a file is called one of Parquet."""
    return file_name.lower().endswith(".parquet")


def looks_like_table(text: str) -> bool:
    """Whether lines hold columns and not a list of variants.

    They do below a header with a name that columns of variants, scores or labels have, and
    where every line has as many words as the first and one column is of variants, another of
    numbers: numbers beside variants are no sites then. One line counts with decimals alone.
    """
    bare = (line.partition("#")[0] if line[:1] != "#" else line for line in text.splitlines())
    lines = list(islice(dropwhile(_before_header, filter(str.strip, bare)), _LOOKED_AT))
    if not lines or lines[0].startswith(">"):
        return False
    if _SEPARATOR_LINE.fullmatch(lines[0].strip()):
        return True
    separator = _separator(lines)
    rows = [_cells(line, separator) for line in lines]
    if len(rows) > 1 and _is_header(lines[0]) and not any(map(_is_variant, rows[0])):
        return True
    width = len(rows[0])
    if width < 2 or any(len(row) != width for row in rows):
        return False
    columns = list(zip(*rows, strict=True))
    variants = [all(map(_is_variant, column)) for column in columns]
    figures = [all(map(_FIGURE.fullmatch, column)) for column in columns]
    decimals = any("." in cell for column in columns for cell in column if _FIGURE.fullmatch(cell))
    return any(variants) and any(figures) and (len(rows) > 1 or decimals)


def read_table(content: bytes, file_name: str) -> pd.DataFrame:
    """A CSV, TSV or Parquet table as text columns.

    Text in any encoding of `text.decode`, parted by tabs, commas, semicolons (also as Excel's
    first line ``sep=;`` says) or else white space. Lines before the header that begin with
    ``#`` are passed over. Where the first line itself holds a variant there is no header, and
    the columns are called ``column 1``, ...

    Raises
    ------
    InputError
        It is none of them, or has too many rows.
    """
    try:
        if is_parquet(file_name):
            table = read_parquet(content)
        else:
            table = _text_table(decode(content, file_name))
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

    lines = text.splitlines()
    told = _SEPARATOR_LINE.fullmatch(lines[0].strip()) if lines else None
    lines = list(dropwhile(_before_header, lines[1:] if told else lines))
    if not lines:
        raise ValueError("it is empty")
    separator = (told[1].replace("\\t", "\t") if told else "") or _separator(lines)
    if lines[0].count(separator) >= MAX_COLUMNS:
        raise ValueError(f"it has more than {MAX_COLUMNS:,} columns")
    if sum(line.count(separator) + 1 for line in lines) > MAX_CELLS:
        raise ValueError(f"it has more than {MAX_CELLS:,} cells")
    if separator in (" ", "\t"):
        rows = [cells for line in lines if any(cells := _cells(line, separator))]
    else:
        rows = [row for row in csv.reader(lines, delimiter=separator, strict=True) if any(row)]
    if not rows:
        raise ValueError("it is empty")
    header = [cell.strip() for cell in rows[0]]
    header[0] = header[0].lstrip("# ")
    if any(map(_is_variant, header)):
        header = [f"column {n}" for n in range(1, len(header) + 1)]
    else:
        rows = rows[1:]
    if separator in (" ", "\t") and rows and all(len(row) == len(header) + 1 for row in rows):
        header = ["row", *header]  # R leaves out the heading of its row names
    names: Counter[str] = Counter()
    for place, name in enumerate(header):
        names[name] += 1
        header[place] = name if names[name] == 1 else f"{name}.{names[name]}"
    width = len(header)
    for row in rows:
        if any(cell.strip() for cell in row[width:]):
            raise ValueError(
                f"a row has more cells than there are headings, '{shown(separator.join(row))}'; "
                "quote cells that hold the separator"
            )
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows], columns=header, dtype=str)


def _separator(lines: Sequence[str]) -> str:
    """What parts columns: of tab, semicolon and comma the one that all lines have alike.

    Else the commonest of the first line; white space where there is none of them.
    """
    first = lines[0]
    for separator in "\t;,":
        counts = {line.count(separator) for line in lines[:_LOOKED_AT]}
        if len(counts) == 1 and separator in first:
            return separator
    separator = max("\t,;", key=first.count)
    if separator in first:
        return separator
    return " " if len(first.split()) > 1 else ","


def _is_variant(cell: str) -> bool:
    return _LOOKS_LIKE_VARIANT.fullmatch(cell) is not None


def _cells(line: str, separator: str) -> list[str]:
    """The cells of one line; quotes around a whole cell are taken off."""
    if separator == " ":
        return [quoted or bare for quoted, bare in _WORD.findall(line)]
    cells = [cell.strip() for cell in line.split(separator)]
    return [
        cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell
        for cell in cells
    ]


def _before_header(line: str) -> bool:
    return not line.strip() or (line.startswith("#") and not _is_header(line))


def _is_header(line: str) -> bool:
    cells = _cells(line.lstrip("# "), _separator([line]))
    words = {plain_name(cell) for cell in cells}
    return bool(words & {*VARIANT_NAMES, *MEASURED_NAMES, *LABEL_NAMES})
