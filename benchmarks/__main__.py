"""``python -m benchmarks``: print the table; ``--quick`` leaves remodelling out."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import embedding, measurement, remodelling


def main() -> None:
    """Run every benchmark and print its rows."""
    rooms = [measurement, embedding] + ([] if "--quick" in sys.argv else [remodelling])
    table = Table("what", "this", "beside", "ratio", "target")
    for room in rooms:
        for row in room.run():
            table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
