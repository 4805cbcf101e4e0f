"""Where heavy work runs: the cores of this machine, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from glass_core.errors import require_training_packages

Runner = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]]
"""Applies a function to items anywhere; yields (place, result) as they end."""


def run_here(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """The `Runner` of this process: one item after the other."""
    for place, item in enumerate(items):
        yield place, function(item)


@contextmanager
def dask_runner(scheduler: str | None = None, workers: int | None = None) -> Iterator[Runner]:
    """The `Runner` of a cluster. Items of a worker that dies are given to another.

    Parameters
    ----------
    scheduler : str, optional
        Address of a running Dask scheduler, ``tcp://host:port``, whose workers have
        this package installed; by default a cluster on this machine alone.
    workers : int, optional
        Processes of that cluster; by default one per core.

    Raises
    ------
    UnavailableError
        Dask is not installed.
    """
    require_training_packages("a cluster", "distributed")
    from dask.distributed import Client, LocalCluster, as_completed

    cluster = (
        None
        if scheduler
        else LocalCluster(
            n_workers=workers or os.cpu_count() or 1,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
        )
    )
    with Client(scheduler or cluster) as client:

        def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
            futures = client.map(function, items, pure=False)
            place = {future.key: number for number, future in enumerate(futures)}
            for future, result in as_completed(futures, with_results=True):
                yield place[future.key], result

        try:
            yield run
        finally:
            if cluster is not None:
                cluster.close()
