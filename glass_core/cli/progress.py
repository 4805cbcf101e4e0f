"""The one bar of all commands: on standard error, as lines where that is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar

    from glass_core.progress import Rate

SECONDS_BETWEEN_LINES = 10.0


class ConsoleBar:
    """Shows what a `progress.Stage` or a `progress.Rate` tells.

    Parameters
    ----------
    bar : rich.progress.Progress
        Drawn where standard error is a terminal.
    first : str
        What is being done until something is told.
    """

    def __init__(self, bar: RichBar, first: str) -> None:
        self._bar = bar
        self._task = bar.add_task(first, total=1.0)
        self._last_line = time.monotonic()

    def stage(self, words: str, fraction: float) -> None:
        """Show a stage in words; a `progress.Stage`."""
        self._bar.update(self._task, description=words, completed=fraction)

    def rate(self, rate: Rate) -> None:
        """Show a rate; without a terminal as a line, every 10 seconds at most."""
        self.stage(str(rate), rate.fraction)
        now = time.monotonic()
        if self._bar.disable and now - self._last_line > SECONDS_BETWEEN_LINES:
            click.echo(str(rate), err=True)
            self._last_line = now


@contextmanager
def console_bar(first: str) -> Iterator[ConsoleBar]:
    """A bar on standard error that is gone in the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        yield ConsoleBar(bar, first)
