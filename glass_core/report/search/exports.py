"""The files of a search."""

from __future__ import annotations

from glass_core.report.export import Export, safe_stem
from glass_core.search.relatives import Relatives
from glass_core.search.rows import as_a3m
from glass_core.search.written import as_json_text, as_table, as_tsv


def search_exports(found: Relatives, site: int | None = None) -> tuple[Export, ...]:
    """Tables with every column, and the alignment."""
    listed, stem = [found.neighbours], file_stem(found)
    return (
        Export("TSV", f"{stem}.tsv", "text/tab-separated-values", lambda: as_tsv(listed, site)),
        Export(
            "CSV",
            f"{stem}.csv",
            "text/csv",
            lambda: as_table(listed, site).to_csv(index=False, float_format="%.4f"),
        ),
        Export(
            "Parquet",
            f"{stem}.parquet",
            "application/vnd.apache.parquet",
            lambda: as_table(listed, site).to_parquet(index=False),
        ),
        Export("JSON", f"{stem}.json", "application/json", lambda: as_json_text(listed, site)),
        Export("Alignment (A3M)", f"{stem}.a3m", "text/plain", lambda: a3m(found)),
    )


def a3m(found: Relatives) -> str:
    """The protein and its likely neighbours, all where none is likely, as an alignment."""
    protein = found.protein
    return as_a3m(protein.short_name, protein.sequence, found.likely or found.others)


def as_fasta(found: Relatives) -> str:
    """The protein and its neighbours, whole and unaligned."""
    own = f">{found.protein.short_name}\n{found.protein.sequence}"
    return "\n".join([own, *(one.entry.fasta for one in found.neighbours if one.entry.sequence)])


def file_stem(found: Relatives) -> str:
    """Begins the names of all its files."""
    return safe_stem("glass-relatives", found.protein.short_name, "protein")
