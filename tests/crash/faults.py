"""Disks that fail or are full at every step of a history: nothing acknowledged is lost, nothing torn.

After EIO the archive writes no more, answers as before, and is whole when it is opened again. After ENOSPC
the call that met it can be repeated, as its error says.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Final

from otrdb.errors import DiskFull, OtrError, WriteFailed
from otrdb.testing import (
    FaultyMedium,
    Operation,
    PowerCuts,
    Reopen,
    Step,
    Witness,
    everything,
    nothing,
    perform,
    some,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otrdb import Archive

FAIL: Final[tuple[Step, ...]] = (
    "append",
    "write",
    "sync",
    "allocate",
    "truncate",
    "create",
    "rename",
    "delete",
    "sync_directory",
)
FILL: Final[tuple[Step, ...]] = ("append", "allocate")
"""The steps that need room."""


class Session:
    """A history on its way, which a fault may end."""

    def __init__(self, cuts: PowerCuts) -> None:
        self.cuts = cuts
        self.medium = cuts.medium()
        self.witness = Witness(cuts.streams, lasting=cuts.durability == "sync")
        self.archive = self.open(self.medium)

    def open(self, medium: FaultyMedium) -> Archive:
        return self.cuts.open(medium, None)

    def do(self, operation: Operation) -> None:
        answer: Any = None
        if isinstance(operation, Reopen):
            self.archive.close()
            self.archive = self.open(self.medium)
        else:
            answer = perform(self.archive, operation)
        self.witness.acknowledged(operation, answer)


def failures(cuts: PowerCuts, history: Sequence[Operation]) -> tuple[int, list[str]]:
    """Every step fails in turn; how many did, and what was broken, in words."""
    return _each(cuts, history, FAIL, _fail, "fails")


def _each(
    cuts: PowerCuts,
    history: Sequence[Operation],
    steps: Sequence[Step],
    attempt: Callable[[Session, Sequence[Operation], Step, int], None],
    what: str,
) -> tuple[int, list[str]]:
    tried, problems = 0, list[str]()
    for step, total in _steps(cuts, history, steps).items():
        for at in range(total):
            tried += 1
            try:
                attempt(Session(cuts), history, step, at)
            except (AssertionError, OtrError) as error:
                problems.append(f"{cuts.durability}, {step} {at} {what}: {error!r:.500}")
    return tried, problems


def _fail(session: Session, history: Sequence[Operation], step: Step, at: int) -> None:
    session.medium.fail(step, after=at, stays=at % 2 == 0, partial=7)
    doubtful = None
    for operation in history:
        try:
            session.do(operation)
        except WriteFailed:
            doubtful = operation
            break
    if doubtful is not None and not isinstance(doubtful, Reopen):
        session.witness.copy().verify(session.archive, doubtful, versions=False)
    for survives in (nothing, everything, some(at)):
        with session.open(session.medium.crash(survives)) as left:
            session.witness.copy().verify(left, doubtful)
            assert list(left.check()) == []


def fillings(cuts: PowerCuts, history: Sequence[Operation]) -> tuple[int, list[str]]:
    """There is no room for each step in turn, and then there is; how many met that, and what was broken."""
    return _each(cuts, history, FILL, _fill, "finds no room")


def _fill(session: Session, history: Sequence[Operation], step: Step, at: int) -> None:
    session.medium.fail(step, after=at, code=errno.ENOSPC, partial=7)
    for operation in history:
        try:
            session.do(operation)
        except DiskFull:
            session.do(operation)
    session.witness.copy().verify(session.archive)
    assert list(session.archive.check()) == []
    session.archive.close()
    with session.open(session.medium.crash()) as left:
        session.witness.verify(left)
        assert list(left.check()) == []


def _steps(cuts: PowerCuts, history: Sequence[Operation], steps: Sequence[Step]) -> dict[Step, int]:
    """How often the history asks the medium for each of these."""
    session = Session(cuts)
    before = session.medium.counts.copy()
    for operation in history:
        session.do(operation)
    session.archive.close()
    return {step: session.medium.counts[step] - before[step] for step in steps}
