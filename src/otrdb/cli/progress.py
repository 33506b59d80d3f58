"""Progress on stderr, when that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from otrdb.results import CheckProgress

Advance: TypeAlias = "Callable[[int], None]"
"""Says how much has been done since the last call."""


_LABELS: Final = {"points": "Trees", "bytes": "Segments"}


def _silent(_: int) -> None:
    pass


@contextmanager
def progress(label: str, total: int) -> Iterator[Advance]:
    """A bar that fills up to `total`; nothing at all where nobody watches."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=total)
        yield lambda step: bars.update(task, advance=step)


class Meter:
    """Shows how far a check has come; nothing at all where nobody watches."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def report(self, progress: CheckProgress) -> None:
        """A bar for each unit."""
        if self._bars is None:
            return
        if progress.unit not in self._tasks:
            self._tasks[progress.unit] = self._bars.add_task(_LABELS.get(progress.unit, progress.unit))
        self._bars.update(self._tasks[progress.unit], completed=progress.done, total=progress.total)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Makes room for lines on the same terminal."""
        if self._bars is None:
            yield
            return
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()


@contextmanager
def meter() -> Iterator[Meter]:
    """A `Meter` on stderr."""
    if not sys.stderr.isatty():
        yield Meter(None)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=False) as bars:
        yield Meter(bars)


@contextmanager
def measured(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar for what tells itself how much of how much is done; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def spinner(label: str) -> Iterator[None]:
    """A sign of life while something of unknown length is done."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(label):
        yield
