"""``python -m benchmarks``: print the table; ``--quick`` remodels nothing and screens a tenth."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import bench_remodel, embedding, measurement, screening


def main() -> None:
    """Run every benchmark and print its rows."""
    table = Table("what", "this", "beside", "ratio", "target")
    for room in (measurement, embedding):
        for row in room.run():
            table.add_row(*row)
    for row in screening.run(quick="--quick" in sys.argv):
        table.add_row(*row)
    if "--quick" not in sys.argv:
        for what, figure in bench_remodel.run():
            table.add_row(what, figure)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
