"""Progress on stderr, when that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Advance: TypeAlias = "Callable[[int], None]"
"""Says how much has been done since the last call."""


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
