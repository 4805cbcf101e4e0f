"""``python -m benchmarks``: print the table; ``--quick`` remodels nothing and takes less of all.

Many visitors at once have a command of their own, ``python -m benchmarks.load``.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import bench_remodel, embedding, measurement, robustness, screening


def main() -> None:
    """Run every benchmark and print its rows."""
    table = Table("what", "this", "beside", "ratio", "target")
    for room in (measurement, embedding):
        for row in room.run():
            table.add_row(*row)
    quick = "--quick" in sys.argv
    for row in (*screening.run(quick), *robustness.run(quick)):
        table.add_row(*row)
    if not quick:
        for what, figure in bench_remodel.run():
            table.add_row(what, figure)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
