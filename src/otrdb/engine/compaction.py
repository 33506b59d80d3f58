"""Compaction: segments of which little is needed any more are given back.

A segment leaves in three steps, each of groups so small that nobody waits for long (`Paced`), and each
harmless to leave off and begin again: the blocks that some state needs are copied to the end of the archive,
with everything above them; what its records say is said again as it is by now; one last record says that it
is given back. Only then, and when nobody reads it any more, the file is deleted. At most one segment at a
time is there twice.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.errors import Damaged, OtrError
from otrdb.results import Compacted, Finding
from otrdb.storage.blocks import HEADER_BYTES, Address
from otrdb.storage.freed import Freed
from otrdb.storage.groups import GROUP_TYPE, Position
from otrdb.storage.headers import SEGMENT_HEADER
from otrdb.storage.records import SegmentsFreed, VersionKept, decode

from .census import Census, held_states
from .core import now_ns
from .findings import damage_found
from .paced import Paced
from .relocation import Relocation
from .repoint import repoint
from .restating import Restating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otrdb.storage.scan import Found

    from .core import Core
    from .state import StreamState
    from .versions import Committed

DEAD_SHARE: Final = 0.3
"""A segment is moved when this share of it is needed by nobody: so an archive is at most 1.43 times as large
as what is needed, and to get back a byte at most 2.3 are written.
"""

READER_SECONDS: Final = 600
"""How long a reader that does not look may keep files from being deleted."""


class _Candidate(NamedTuple):
    """A segment, the size of its file, and how many bytes of blocks in it are needed and are not."""

    number: int
    size: int
    live: int
    dead: int


class Compactor:
    """Gives back segments of one archive; one thread at a time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._running = Lock()
        self._freed_at: dict[int, int] = {}

    def run(
        self, progress: Callable[[int, int], None], *, newest: bool, pause: Callable[[float], None]
    ) -> Compacted:
        """Give back what is worth it, with ``newest`` also the segment that is written to, which is sealed.

        ``progress`` is told bytes of segments done and to do, ``pause`` how long others had to wait, s.
        """
        core = self._core
        with self._running:
            core.writable()
            self.delete_freed()
            sizes = core.segments.sizes()
            census = Census(core)
            findings = [damage_found(damage) for damage in census.damage]
            chosen = self._chosen(sizes, census, newest)
            total, done, freed = sum(each.size for each in chosen), 0, list[_Candidate]()
            for each in chosen:
                try:
                    if each.number == core.segments.numbers()[-1]:
                        core.segments.seal()
                    _Leaving(core, each.number, pause).run()
                    self._freed_at[each.number] = now_ns()
                    freed.append(each)
                except Damaged as damage:
                    findings.append(damage_found(damage))
                self.delete_freed()
                done += each.size
                progress(done, total)
            there = set(core.segments.numbers())
            waiting = sum(each.number in there for each in freed)
            size, live = (sum(getattr(each, name) for each in freed) for name in ("size", "live"))
            return Compacted(len(freed), size, live, waiting, findings)

    def delete_freed(self) -> None:
        """Delete the files of segments that were given back, as far as nobody may be reading them."""
        core = self._core
        for number in core.segments.numbers()[:-1]:
            if number in core.segments.freed and self._is_unread(number):
                core.catalog.save()
                with core.files:
                    if core.keeping or core.closed:
                        return
                    self._delete(number)

    def _delete(self, number: int) -> None:
        """A file that cannot be deleted is no harm: it stays, and is tried again."""
        core = self._core
        try:
            core.segments.delete(number)
        except OtrError as error:
            core.note(Finding(error.code, error.message))
            return
        with core.refusing():
            core.segments.medium.sync_directory()
        self._freed_at.pop(number, None)

    def _chosen(self, sizes: dict[int, int], census: Census, newest: bool) -> list[_Candidate]:
        """The segments to be moved, those of least need first.

        ``sizes`` are from before the census, which may have missed what was written since.
        """
        core, live, found = self._core, census.live, []
        for number, size in sizes.items():
            known = number > census.unknown and number not in core.segments.freed
            if not known or (number == max(sizes) and not newest):
                continue
            if size - live[number] >= DEAD_SHARE * size:
                dead = self._blocks_in(number, size) - live[number]
                if dead >= DEAD_SHARE * size:
                    found.append(_Candidate(number, size, live[number], dead))
        return sorted(found, key=lambda each: each.live / each.size)

    def _blocks_in(self, number: int, size: int) -> int:
        """Bytes of the blocks of trees in a segment, as far as one leads to the next."""
        blocks = self._core.segments.blocks(number, SEGMENT_HEADER.size, size)
        return sum(HEADER_BYTES + block.length for _, block in blocks if block and block.type != GROUP_TYPE)

    def _is_unread(self, number: int) -> bool:
        oldest, freed = self._core.oldest_reader(), self._freed_at.setdefault(number, now_ns())
        return oldest is None or oldest > freed or now_ns() - freed > READER_SECONDS * 1_000_000_000


class _Leaving:
    """One segment that is to be given back."""

    def __init__(self, core: Core, segment: int, pause: Callable[[float], None]) -> None:
        self._core = core
        self._segment = segment
        self._paced = Paced(core, pause)

    def run(self) -> None:
        """Do it. `Damaged` if something in the segment is not what was written: then it stays."""
        core = self._core
        for _ in self._groups():
            pass  # all of its records are sound
        with core.lock:
            states = list(core.streams)
        self._paced.run(step for state in states for step in self._move(state))
        oldest = core.segments.numbers()[0] == self._segment
        self._paced.run(self._restate(oldest=oldest))

    def _groups(self) -> Iterator[Found]:
        """The groups of the segment; `Damaged` if one is not sound as a record."""
        position = Position(self._durable(self._segment), self._segment, SEGMENT_HEADER.size)
        for found in self._core.segments.scan(position, report=_refuse):
            if found.info.address.segment != self._segment:
                return
            yield found

    def _durable(self, segment: int) -> int:
        """The newest group before a segment."""
        header = self._core.segments.header(segment)
        if header is None:
            raise Damaged(f"Segment {segment} has no sound header.", segment=segment, offset=0)
        return header.durable

    # --- blocks

    def _move(self, state: StreamState) -> Iterator[None]:
        """Leaves first, which are most of it; then, version by version, what leads to them."""
        relocation, done = Relocation(self._core.segments, self._segment), set[int]()
        for committed in held_states(self._core, state):
            if committed.root is not None:
                for leaves in relocation.leaves(committed.root):
                    for leaf in leaves:
                        relocation.move(self._paced.group, leaf)
                        yield
                    yield
        # A commit between two groups makes one more.
        while left := [each for each in held_states(self._core, state) if each.version not in done]:
            for committed in left:
                self._move_version(state, committed, relocation)
                done.add(committed.version)
                yield

    def _move_version(self, state: StreamState, committed: Committed, relocation: Relocation) -> None:
        if committed.root is None:
            return
        core, version = self._core, committed.version
        to = Address(*relocation.move(self._paced.group, committed.root))
        replaced = relocation.taken_replaced()
        if to == committed.root:
            return
        kept = core.catalog.version(state.number, version)
        if kept is not None:
            obsolete = tuple(replaced) if version == state.committed.version else ()
            moved = VersionKept(state.number, version, to, kept.applied_lsn, kept.count, kept.time, obsolete)
            self._paced.entries.append(moved)
        self._paced.published.append(lambda: repoint(core, state, {version: to}))

    # --- records

    def _restate(self, *, oldest: bool) -> Iterator[None]:
        core, restating = self._core, Restating(self._core, self._segment, oldest=oldest)
        for found in self._groups():
            for entry in decode(found.payload):
                self._paced.entries += restating.of(entry)
                yield
        freed = self._freed()
        self._paced.entries.append(freed)
        self._paced.published.append(lambda: core.segments.freed.add(freed))

    def _freed(self) -> SegmentsFreed:
        """The range of segments given back that this one is now a part of."""
        core, number = self._core, self._segment
        numbers = core.segments.numbers()
        first = self._durable(number) + 1
        last = self._durable(numbers[numbers.index(number) + 1])
        catalog = core.catalog
        own = SegmentsFreed(number, number, first, last, catalog.last_number, catalog.last_lsn)
        return next(each for each in Freed([*core.segments.freed, own]) if each.first <= number <= each.last)


def _refuse(damage: Damaged) -> None:
    raise damage


def briefly(_: float) -> None:
    """Lets others through, and goes on."""
    time.sleep(0.001)


def gently(taken: float) -> None:
    """Leaves most of the time to others."""
    time.sleep(4 * taken)
