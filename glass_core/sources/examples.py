"""Proteins to begin with, by accession."""

from __future__ import annotations

LOOKUP_EXAMPLES: dict[str, str] = {
    "p53 R175H": "P04637 R175H",
    "TEM-1 G236S": "P62593 G236S",
    "p14ARF G16D": "Q8N726 G16D",
    "CFTR F508del": "P13569 F508del",
}
"""What a button says -> what it types. TEM-1's G236S is G238S in Ambler numbering."""
