"""Compaction: segments of which little is needed any more are given back.

Segments leave in three steps, each of groups so small that nobody waits for long (`Paced`), and each
harmless to leave off and begin again: the blocks that some state needs are copied to the end of the archive,
with everything above them; what their records say is said again as it is by now; a last record of each says
that it is given back. Only then, and when nobody reads it any more, the file is deleted.

What leads to a block that moves is written anew for every version that is kept. So as many segments leave at
once as there is room for: one by one, a thousand versions would be written a thousand times.
"""

from __future__ import annotations

import time
from itertools import accumulate
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
as what is needed, and to get back a byte at most 2.3 are written, and what leads to them.
"""

_ROOM_SHARE: Final = 4
"""What leaves at once is there twice, and takes at most this part of the room on the disk, or is one segment.
"""

_MOST: Final = 1 << 30
"""Bytes that leave at once, at most: if it is broken off, they are copied again."""

READER_SECONDS: Final = 600
"""How long a reader that does not look may keep files from being deleted."""


class _Candidate(NamedTuple):
    """A segment, the size of its file, and how many bytes of blocks in it are needed."""

    number: int
    size: int
    live: int


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
            sizes, left = core.segments.sizes(), list[_Candidate]()
            census = Census(core)
            chosen = self._chosen(sizes, census, newest)
            findings = [damage_found(damage) for damage in census.damage]
            total, done = sum(each.size for each in chosen), 0
            while chosen:
                batch, chosen = self._parted(chosen)
                findings += self._leave(batch, pause)
                self.delete_freed()
                left += batch
                done += sum(each.size for each in batch)
                progress(done, total)
            freed = [each for each in left if each.number in core.segments.freed]
            there = set(core.segments.numbers())
            waiting = sum(each.number in there for each in freed)
            size, live = (sum(getattr(each, name) for each in freed) for name in ("size", "live"))
            return Compacted(len(freed), size, live, waiting, findings)

    def _parted(self, chosen: list[_Candidate]) -> tuple[list[_Candidate], list[_Candidate]]:
        """Those that leave at once, and the others."""
        room = min(self._core.segments.medium.free_bytes() // _ROOM_SHARE, _MOST)
        sums = accumulate(each.live for each in chosen)
        several = max(sum(taken <= room for taken in sums), 1)
        return chosen[:several], chosen[several:]

    def _leave(self, batch: list[_Candidate], pause: Callable[[float], None]) -> list[Finding]:
        """Empty segments; what is damaged stays, and stops no other."""
        core, left = self._core, frozenset(each.number for each in batch)
        if core.segments.numbers()[-1] in left:
            core.segments.seal()
        try:
            _Leaving(core, left, pause).run()
        except Damaged as damage:
            rest = [each for each in batch if each.number not in core.segments.freed]
            if len(rest) == 1:
                return [damage_found(damage)]
            sound = [each for each in rest if each.number != damage.segment]
            if len(sound) < len(rest):
                return [damage_found(damage), *self._leave(sound, pause)]
            return [finding for each in rest for finding in self._leave([each], pause)]
        finally:
            self._freed_at.update({number: now_ns() for number in left if number in core.segments.freed})
        return []

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
                dead = self._blocks_in(number, size, census.damage) - live[number]
                if dead >= DEAD_SHARE * size:
                    found.append(_Candidate(number, size, live[number]))
        return sorted(found, key=lambda each: each.live / each.size)

    def _blocks_in(self, number: int, size: int, met: list[Damaged]) -> int:
        """Bytes of the blocks of trees in a segment, as far as one leads to the next; 0 if the disk does not
        give them.
        """
        blocks = self._core.segments.blocks(number, SEGMENT_HEADER.size, size)
        try:
            return sum(
                HEADER_BYTES + block.length for _, block in blocks if block and block.type != GROUP_TYPE
            )
        except Damaged as damage:
            met.append(damage)
            return 0

    def _is_unread(self, number: int) -> bool:
        oldest, freed = self._core.oldest_reader(), self._freed_at.setdefault(number, now_ns())
        return oldest is None or oldest > freed or now_ns() - freed > READER_SECONDS * 1_000_000_000


class _Leaving:
    """Segments that are to be given back."""

    def __init__(self, core: Core, segments: frozenset[int], pause: Callable[[float], None]) -> None:
        self._core = core
        self._segments = segments
        self._paced = Paced(core, pause)

    def run(self) -> None:
        """Do it. `Damaged` if something in a segment is not what was written: then it stays."""
        core = self._core
        for segment in self._segments:
            for _ in self._groups(segment):
                pass  # all of its records are sound
        with core.lock:
            states = list(core.streams)
        self._paced.run(step for state in states for step in self._move(state))
        oldest = core.segments.numbers()[0]
        for segment in sorted(self._segments):
            self._paced.run(self._restate(segment, oldest=segment == oldest))

    def _groups(self, segment: int) -> Iterator[Found]:
        """The groups of a segment; `Damaged` if one is not sound as a record."""
        position = Position(self._durable(segment), segment, SEGMENT_HEADER.size)
        for found in self._core.segments.scan(position, report=_refuse):
            if found.info.address.segment != segment:
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
        relocation, done = Relocation(self._core.segments, self._segments), set[int]()
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

    def _restate(self, segment: int, *, oldest: bool) -> Iterator[None]:
        core, restating = self._core, Restating(self._core, self._segments, oldest=oldest)
        for found in self._groups(segment):
            for entry in decode(found.payload):
                self._paced.entries += restating.of(entry)
                yield
        freed = self._freed(segment)
        self._paced.entries.append(freed)
        self._paced.published.append(lambda: core.segments.freed.add(freed))

    def _freed(self, number: int) -> SegmentsFreed:
        """The range of segments given back that this one is now a part of."""
        core = self._core
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
