"""Power cuts at every step of a history, and what is left is held against what was promised.

Example:
    >>> from otrdb.testing import Flush, PowerCuts, Reopen, operations
    >>> from itertools import islice
    >>> cuts = PowerCuts(durability="off", singles=2, every=7)
    >>> cuts.run([*islice(operations(seed=1), 6), Flush(None), Reopen("gone")])
    []
    >>> cuts.tally.cuts > cuts.tally.points > 0
    True
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otrdb.engine.core import Budget
from otrdb.engine.opening import open_medium
from otrdb.errors import OtrError
from otrdb.storage.durability import Durability
from otrdb.storage.segments import SEGMENT_BYTES
from otrdb.testing.catalogs import Catalogs
from otrdb.testing.medium import SECTOR, FaultyMedium, everything, nothing
from otrdb.testing.operations import (
    START,
    STREAMS,
    Ask,
    Flush,
    Insert,
    Operation,
    Reopen,
    create_all,
    kind_of,
    perform,
)
from otrdb.testing.survival import some, survivals
from otrdb.testing.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otrdb import Archive
    from otrdb.storage.medium import Medium
    from otrdb.testing.medium import Survives

MEBIBYTE = 1 << 20

_COARSE = 8
"""So many of the first survivals are cut again while they are opened, and once more afterwards."""

MEMORY = Path("/dev/shm")
"""Where catalogs are kept, if it is there: SQLite's syncs need not be waited for."""


def opened(
    medium: Medium,
    durability: str = "sync",
    *,
    journal: int = MEBIBYTE,
    memory: int = 32 << 20,
    segment: int = SEGMENT_BYTES,
    catalog: Path | None = None,
) -> Archive:
    """An archive on a medium, for writing if that is. Its journal files have a quarter of ``journal`` bytes.

    Without a path for its ``catalog`` that is in memory, and made from the segments.

    Example:
        >>> from otrdb.testing import FaultyMedium, opened
        >>> medium = FaultyMedium()
        >>> with opened(medium) as archive:
        ...     _ = archive.create("plant").insert(1, 0.5)
        ...     left = medium.crash()
        >>> with opened(left) as archive:
        ...     archive.streams("plant")[0].count()
        1
    """
    return open_medium(
        medium,
        writable=medium.writable,
        durability=Durability.parse(durability),
        budget=Budget(memory),
        journal_cap=journal,
        segment=segment,
        catalog=catalog,
    )


@dataclass
class Tally:
    """What was tried.

    Attributes:
        histories: how many were run.
        points: moments of them at which the power was cut, one before every step on the medium.
        cuts: what a cut left there, one for each choice of what survived; each was opened and verified.
        same: cuts that left what an earlier one of the same moment had left already, and were not opened.
        again: cuts while what was left was being opened.
    """

    histories: int = 0
    points: int = 0
    cuts: int = 0
    same: int = 0
    again: int = 0

    def add(self, other: Tally) -> None:
        """Add what somebody else tried."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


class PowerCuts:
    """Runs histories on a medium in memory and cuts the power at every step.

    After each cut the archive is opened: it must hold what its durability promises (`Witness`), `check` must
    find nothing, and it must take new points and give them numbers of their own. The catalog is at times the
    one there was, an older one, a torn one, or gone.

    Args:
        streams: those of `create_all` that histories use.
        durability: "sync", "interval=1h" (which passes with `Settle`) or "off".
        sector: bytes a disk writes as a whole.
        journal: bytes, as in `otrdb.open`; a batch of more points than a 128th of it is a commit.
        segment: bytes from which on a segment is sealed.
        seed: of what is chosen at random.
        singles: how many changes survive alone and are missing alone, at each step.
        every: cut only at every so manyth step, from number ``first`` on.
    """

    def __init__(
        self,
        streams: Iterable[int] = range(STREAMS),
        *,
        durability: str = "sync",
        sector: int = SECTOR,
        journal: int = MEBIBYTE,
        segment: int = SEGMENT_BYTES,
        seed: int = 0,
        singles: int = 1 << 30,
        every: int = 1,
        first: int = 0,
    ) -> None:
        self.streams = tuple(streams)
        self.tally = Tally()
        self.durability = durability
        self._sector = sector
        self._journal = journal
        self._segment = segment
        self._seed = seed
        self._singles = singles
        self._every = every
        self._first = first

    def run(self, history: Iterable[Operation]) -> list[str]:
        """Run one history, at the end of which the archive is closed; returns what was broken, in words."""
        self.tally.histories += 1
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
            return _Run(self, Catalogs(Path(directory))).problems_of(history)

    def medium(self) -> FaultyMedium:
        """A medium with an archive that holds the streams, and nothing else."""
        medium = FaultyMedium(sector=self._sector)
        with self.open(medium, None) as archive:
            create_all(archive, self.streams)
        return medium.crash(everything)

    def open(self, medium: FaultyMedium, catalog: Path | None) -> Archive:
        """An archive on that medium, as histories are run on."""
        return opened(medium, self.durability, journal=self._journal, segment=self._segment, catalog=catalog)

    def survivals(self, point: int, changes: int) -> list[Survives]:
        """What may be left of so many changes at a step of the history; none where no cut is wanted."""
        if point % self._every != self._first % self._every:
            return []
        self.tally.points += 1
        return list(survivals(changes, self.seed_of(point), singles=self._singles))

    def seed_of(self, point: int) -> int:
        """Of what is chosen at random at a step of the history."""
        return self._seed + 1_000 * point


class _Run:
    """One history, and what is known at every step of it."""

    def __init__(self, cuts: PowerCuts, catalogs: Catalogs) -> None:
        self._cuts = cuts
        self._catalogs = catalogs
        self._medium = cuts.medium()
        self._witness = Witness(cuts.streams, lasting=cuts.durability == "sync")
        self._archive = self._opened()
        self._medium.watch = self._cut
        self._doubtful: Operation | None = None
        self._done = 0
        self._closing = False
        self._point = 0
        self._known: set[int] = set()
        self._problems: list[str] = []

    def problems_of(self, history: Iterable[Operation]) -> list[str]:
        for operation in history:
            self._doubtful = operation
            answer = self._do(operation)
            self._doubtful = None
            self._done += 1
            self._witness.acknowledged(operation, answer)
            self._witness.look(self._archive)
            self._catalogs.note()
        self._close()
        self._cut("end", "")
        return self._problems

    def _do(self, operation: Operation) -> Any:
        if not isinstance(operation, Reopen):
            return perform(self._archive, operation)
        self._close()
        self._catalogs.change(operation.catalog)
        self._archive = self._opened()
        self._closing = False
        return None

    def _opened(self) -> Archive:
        return self._cuts.open(self._medium, self._catalogs.live)

    def _close(self) -> None:
        self._closing = True
        self._archive.close()

    # --- one cut

    def _cut(self, step: str, name: str) -> None:
        self._point += 1
        seed = self._cuts.seed_of(self._point)
        changes = len(self._medium.unsynced())
        for number, survives in enumerate(self._cuts.survivals(self._point, changes)):
            left = self._medium.crash(survives)
            where = f"{self._done} operations, {step} {name}, survival {number}"
            # The first are the coarse ones: nothing, everything, halves, one at random.
            self._try(left, where, seed + number, again=number < _COARSE)

    def _try(self, left: FaultyMedium, where: str, seed: int, *, again: bool) -> None:
        if self._is_known(left):
            return
        self._cuts.tally.cuts += 1
        if again:
            left.watch = lambda step, name: self._cut_again(left, f"{where}; opening, {step} {name}", seed)
        with self._noting(where):
            self._verify(left, seed, go_on=again)

    def _cut_again(self, opening: FaultyMedium, where: str, seed: int) -> None:
        for number, survives in enumerate((nothing, everything, some(seed))):
            left = opening.crash(survives)
            if not self._is_known(left):
                self._cuts.tally.again += 1
                with self._noting(f"{where}, survival {number}"):
                    self._verify(left, seed + number, go_on=False)

    def _is_known(self, left: FaultyMedium) -> bool:
        """Whether the same was left before, when the same had been acknowledged."""
        key = hash((self._done, self._doubtful is None, tuple(left.contents().items())))
        known = key in self._known
        self._known.add(key)
        self._cuts.tally.same += known
        return known

    @contextmanager
    def _noting(self, where: str) -> Iterator[None]:
        try:
            yield
        except (AssertionError, OtrError) as error:
            self._problems.append(f"{where}, doubtful {self._doubtful!r:.120}: {error!r:.500}")

    def _verify(self, left: FaultyMedium, seed: int, *, go_on: bool) -> None:
        """What was left keeps all promises and takes points; with ``go_on`` the power is cut then, too."""
        witness = self._witness.copy()
        if go_on:
            self._read_only(left, seed)
        with self._catalogs.some(seed) as catalog, self._cuts.open(left, catalog) as archive:
            left.watch = None
            self._verify_epoch(archive)
            witness.verify(archive, self._doubtful)
            witness.look(archive)
            for operation in _more(self._cuts.streams):
                witness.acknowledged(operation, perform(archive, operation))
                witness.look(archive)
            witness.verify_bits(archive)
            _verify_sound(archive)
            if go_on:
                self._verify_once_more(left.crash(), witness, seed + 1)

    def _read_only(self, left: FaultyMedium, seed: int) -> None:
        """A reader finds what a writer would find, and changes nothing."""
        before = left.contents()
        left.writable = False
        with self._catalogs.some(seed) as catalog, self._cuts.open(left, catalog) as archive:
            self._witness.copy().verify(archive, self._doubtful)
        left.writable = True
        assert left.contents() == before, "a reader changed something"

    def _verify_once_more(self, left: FaultyMedium, witness: Witness, seed: int) -> None:
        with self._catalogs.some(seed) as catalog, self._cuts.open(left, catalog) as archive:
            witness.verify(archive)
            _verify_sound(archive)

    def _verify_epoch(self, archive: Archive) -> None:
        """After a session that did not close there is a new epoch."""
        session = self._archive._engine.core.journal
        assert session is not None
        least = session.epoch + (session.begun and not self._closing)
        assert archive._engine.core.writable().epoch >= least, "the epoch did not grow"


def _verify_sound(archive: Archive) -> None:
    found = list(archive.check(deep=True))
    assert not found, f"check: {found}"


def _more(streams: tuple[int, ...]) -> list[Operation]:
    """What a survivor does: all of it must work, and give numbers that nobody was told."""
    if not streams:
        return []
    times = START + 77 * np.arange(2)
    parts = {stream: (times, np.array([1, 0]).astype(kind_of(stream).dtype)) for stream in streams[:3]}
    first = streams[0]
    return [Ask(first), Insert("many", parts), Ask(first), Flush(first), Ask(streams[-1])]
