"""``python -m benchmarks``: print the table; ``--quick`` remodels nothing and takes less of all.

Damaged input and many visitors at once have commands of their own,
``python -m tests.tools.robustness`` and ``python -m tests.tools.load``.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import embedding, measurement, remodelling, screening, searching


def main() -> None:
    """Run every benchmark and print its rows."""
    table = Table("what", "this", "beside", "ratio", "target")
    quick = "--quick" in sys.argv
    rows = [*measurement.run(), *embedding.run(), *screening.run(quick), *searching.run(quick)]
    for row in rows if quick else [*rows, *remodelling.run()]:
        table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
