"""The engine: what the public handles call. It owns the order in which locks are taken and states change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from otrdb.errors import Damaged, InvalidArgument, NoSuchStream, VersionNotAvailable
from otrdb.model import FIRST_VERSION
from otrdb.storage.records import (
    Obliterated,
    PropertiesSet,
    SettingSet,
    SnapshotDropped,
    SnapshotNamed,
    StreamCreated,
)

from .commit import THINNED_AT_ONCE, Committer
from .compaction import Compactor
from .core import Core, now_ns
from .encoding import Encoder
from .limits import NewStreams
from .pressure import Pressure
from .reads import Frozen
from .state import Prefix, StreamState
from .versions import Committed, Versions
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otrdb.metadata import Metadata
    from otrdb.tree import Thinning

    from .follow import Follower
    from .moments import Moment


_READERS_MARKS = 1 << 48


class Engine:
    """An open archive, without its public face."""

    def __init__(
        self,
        core: Core,
        journal_cap: int,
        follower: Follower | None = None,
        new_streams: int | None = None,
    ) -> None:
        self.core = core
        self._new_streams = NewStreams(new_streams)
        self._follower = follower
        core.pending.following = follower is not None
        self.encoder = Encoder()
        self.committer = Committer(core, self.encoder)
        self.pressure = Pressure(core, self.committer, journal_cap)
        self.compactor = Compactor(core)
        self.writer = Writer(core, self.committer, self.pressure, journal_cap)

    def check_open(self) -> None:
        """Raise `ClosedArchive` once the archive has been closed."""
        self.core.check_open()

    def refresh(self) -> None:
        """See what a writer elsewhere has done since the last question, if this archive only reads."""
        self.core.check_open()
        if self._follower is not None:
            self._follower.refresh()

    def check(self, state: StreamState) -> None:
        """Raise if the archive is closed or the stream gone."""
        self.core.check_open()
        self.core.streams.check(state)

    # --- states of a stream

    def latest(self, state: StreamState) -> Frozen:
        """The latest state, pending points included; commits first if their overlay would not fit."""
        self.refresh()
        era = self.core.segments.era
        prefix, told = self._told(state)
        try:
            if self.too_large(state, prefix):
                self.committer.pending([state])
                prefix, told = self._told(state)
        except Damaged as damage:
            return Frozen(state, prefix, damage, told, era)
        return self._freeze(state, prefix, told, era)

    def _told(self, state: StreamState) -> tuple[Prefix, int]:
        """The latest state, and the version an answer from it names."""
        with self.core.lock:
            return self._prefix(state), state.told

    def too_large(self, state: StreamState, prefix: Prefix) -> bool:
        """Whether the state must be committed before it is read: its overlay would take too much memory."""
        core = self.core
        return bool(prefix.length) and core.journal is not None and core.roots.too_large(state, prefix)

    def _prefix(self, state: StreamState) -> Prefix:
        with self.core.lock:
            self.check(state)
            self.core.pending.absorb(state)
            return state.prefix()

    def _freeze(self, state: StreamState, prefix: Prefix, version: int, era: object) -> Frozen:
        try:
            return Frozen(state, prefix, self.core.roots.of(state, prefix), version, era)
        except Damaged as damage:
            return Frozen(state, prefix, damage, version, era)

    def mark(self, state: StreamState) -> int:
        """A version number that stands for the state of now."""
        self.refresh()
        era = self.core.segments.era
        if self.too_large(state, self._prefix(state)):
            self.committer.pending([state])
        del era  # until here the blocks of the prefix were read
        journal = self.core.journal
        while True:
            with self.core.lock:
                # The next opening must know that this session may have given out numbers, however it ends.
                begun = journal is None or journal.begun or not self._prefix(state).length
                if begun and not state.planned:
                    return self._mark(state)
            if journal is not None and not begun:
                journal.begin_session()
            with self.core.committing:
                pass  # a commit that was under way is over

    def _mark(self, state: StreamState) -> int:
        with self.core.lock:
            prefix = self._prefix(state)
            if not prefix.length and not self._has_own_marks(state):
                return max(prefix.committed.version, FIRST_VERSION)
            _expire(state)
            newest = state.marks.get(state.last_version)
            if newest is None or not newest.prefix.same(prefix):
                state.last_version = self._next_mark(state)
            self.core.marks.make(state, state.last_version, prefix)
            state.told = state.last_version
            return state.told

    def _next_mark(self, state: StreamState) -> int:
        """The number after the last. A reader's own marks are far above all versions a writer may make."""
        return max(state.last_version + 1, _READERS_MARKS if self._follower is not None else 0)

    def _has_own_marks(self, state: StreamState) -> bool:
        """Whether a reader has made marks, which its later ones must follow."""
        return self._follower is not None and state.last_version >= _READERS_MARKS

    def stamp(self, state: StreamState, version: int) -> int:
        """What came after ``version``, which is there, carries newer stamps than this in later versions."""
        mark = state.marks.get(version) if self._follower is not None else None
        # What a writer elsewhere commits later has smaller numbers than a reader's mark.
        return version if mark is None else mark.prefix.committed.version

    def at(self, state: StreamState, version: int) -> Frozen:
        """A version: committed and kept, or a mark that has not expired."""
        self.refresh()
        era = self.core.segments.era
        with self.core.lock:
            self.check(state)
            _expire(state)
            mark = state.marks.get(version)
            committed = None if mark is not None else self._committed(state, version)
        if mark is not None:
            return self._freeze(state, mark.prefix, version, era)
        if committed is None and version <= FIRST_VERSION:
            committed = Committed(version, None, 0, 0)
        if committed is not None:
            return self._freeze(state, Prefix(committed, [], 0), version, era)
        raise VersionNotAvailable(f"Version {version} of stream {state.metadata.uuid} is not there.")

    def _committed(self, state: StreamState, version: int) -> Committed | None:
        if state.committed.version == version:
            return state.committed
        return self.core.versions(state).find(version)

    def as_of(self, state: StreamState, moment: int) -> Frozen:
        """The newest kept version committed at or before ``moment`` (ns); from now on, the state of now."""
        self.refresh()
        if moment >= now_ns():
            return self.at(state, self.mark(state))
        era = self.core.segments.era
        with self.core.lock:
            self.check(state)
            versions = [kept for kept in self.core.versions(state) if kept.time <= moment]
        newest = versions[-1] if versions else Committed(FIRST_VERSION, None, 0, 0)
        return self._freeze(state, Prefix(newest, [], 0), newest.version, era)

    # --- changes of a stream

    def delete(self, state: StreamState, start: int, end: int) -> int:
        """Remove a range; returns the new version."""
        self._check_writable(state)
        return self.committer.erase(state, start, end)

    def thin(self, state: StreamState, thinning: Thinning, children: int) -> None:
        """Thin what is due, that many ``children`` of nodes, some at a time: nobody waits for long."""
        for _ in range(0, children, THINNED_AT_ONCE):
            self._check_writable(state)
            self.committer.thin(state, thinning)

    def flush_stream(self, state: StreamState) -> int:
        """Commit what is pending; returns the version that holds it."""
        self._check_writable(state)
        self.committer.pending([state])
        return state.committed.version

    def flush(self) -> None:
        """Commit what is pending for every stream."""
        self.core.writable()
        damaged = self.pressure.commit(self._crowded())
        if damaged:
            raise damaged[0]

    def _crowded(self) -> list[StreamState]:
        """The streams with pending points."""
        with self.core.lock:
            found = map(self.core.streams.number, self.core.pending.streams())
            return [state for state in found if state is not None]

    def _check_writable(self, state: StreamState) -> None:
        self.core.writable()
        self.core.streams.check(state)

    def create(self, metadata: Metadata) -> StreamState:
        """A new stream, durable when this returns."""
        core = self.core
        with core.committing:
            core.writable()
            core.streams.names.check_new(metadata)
            self._new_streams.check()
            number = core.streams.next_number
            created = StreamCreated(
                number,
                metadata.uuid,
                metadata.kind,
                metadata.collection,
                dict(metadata.tags),
                dict(metadata.annotations),
            )
            self.committer.entries([created])
            with core.lock:
                state = StreamState(number, metadata, core.sources[metadata.kind])
                core.pending.reserve(number)
                core.streams.add(state)
            self._new_streams.created()
            return state

    def update(self, state: StreamState, change: Callable[[Metadata], Metadata]) -> int:
        """Change metadata durably; returns the new property version."""
        core = self.core
        with core.committing:
            self._check_writable(state)
            changed = change(state.metadata)
            core.streams.names.check_change(changed)
            entry = PropertiesSet(
                state.number,
                changed.property_version,
                changed.collection,
                dict(changed.tags),
                dict(changed.annotations),
            )
            self.committer.entries([entry])
            with core.lock:
                core.streams.change(state, changed)
            return changed.property_version

    def obliterate(self, state: StreamState) -> None:
        """Remove a stream for ever."""
        core = self.core
        with core.committing:
            self._check_writable(state)
            self.committer.entries([Obliterated(state.number, state.metadata.uuid)])
            with core.lock:
                core.pending.drop(state)
                core.streams.remove(state)
                state.versions, state.marks = Versions(), {}
                core.roots.drop(state)

    # --- rules

    def set_rule(self, scope: str, key: str, value: str) -> None:
        """Give a rule a value, or with none take it away; durable when this returns."""
        core = self.core
        with core.committing:
            core.writable()
            self.committer.entries([SettingSet(scope, key, value)])
            with core.lock:
                core.rules.put(scope, key, value)

    # --- moments

    def moment(self) -> Moment:
        """Hold all streams as they are now."""
        core = self.core
        with core.lock:
            core.check_open()
            moment = core.moments.hold(core.newest_lsn(), core.streams.next_number)
            core.pending.barriers = core.moments.lsns()
            return moment

    def at_moment(self, state: StreamState, moment: Moment) -> Frozen:
        """A stream as it was at ``moment``."""
        core = self.core
        era = core.segments.era
        with core.lock:
            self.check(state)
            if state.number >= moment.streams:
                raise NoSuchStream(f"Stream {state.metadata.uuid} was created after the snapshot.")
            core.pending.absorb(state)
            prefix = moment.prefix(state)
            follows = moment.follows(state)
        try:
            if follows and self.too_large(state, prefix):
                self.committer.held(state)
                with core.lock:
                    prefix = moment.prefix(state)
        except Damaged as damage:
            return Frozen(state, prefix, damage, prefix.committed.version, era)
        return self._freeze(state, prefix, prefix.committed.version, era)

    def at_snapshot(self, state: StreamState, versions: Mapping[int, int]) -> Frozen:
        """A stream at the version a named snapshot holds."""
        if state.number not in versions:
            raise NoSuchStream(f"The stream {state.metadata.uuid} was created after the snapshot.")
        return self.at(state, versions[state.number])

    def name_snapshot(self, name: str) -> dict[int, int]:
        """Commit everything and keep all streams' versions under ``name``, durably."""
        core = self.core
        with core.committing:
            if name in core.streams.snapshots:
                raise InvalidArgument(
                    f"There is a snapshot {name!r}.", advice="Drop it, or take another name."
                )
            # Most of it some streams at a time, for the memory's sake; one moment is made by the last group.
            self.flush()
            self.committer.everything()
            with core.lock:
                versions = {state.number: state.committed.version for state in core.streams}
            self.committer.entries([SnapshotNamed(name, versions, now_ns())])
            with core.lock:
                core.streams.snapshots[name] = versions
        return versions

    def drop_snapshot(self, name: str) -> None:
        """Forget a named snapshot."""
        core = self.core
        with core.committing:
            core.writable()
            core.streams.snapshot(name)
            self.committer.entries([SnapshotDropped(name)])
            with core.lock:
                del core.streams.snapshots[name]


def _expire(state: StreamState) -> None:
    now = time.monotonic()
    while state.marks and (oldest := next(iter(state.marks))) is not None:
        if state.marks[oldest].expires > now:
            return
        del state.marks[oldest]
