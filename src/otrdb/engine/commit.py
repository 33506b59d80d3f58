"""Commits: pending points become part of their streams' trees, in one durable group.

The rules that keep data safe, argued for in ``docs/format.md`` ("The commit protocol"):

(a) A commit stores, per stream, the LSN through which it is applied; replay takes a record's part only above.
(b) A commit first syncs the journal through every LSN it contains: so a batch over several streams is never
    there in part.
(c) A batch large enough, for each of its streams, to be a commit of its own skips the journal as a whole: it
    takes the next LSN and commits all its streams in one group with their older pending points, in order of
    arrival.
(d) The commit point is the group record, synced together with its blocks.

One commit runs at a time. Inserts go on meanwhile; what they add stays pending.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from otrdb.errors import Damaged, OtrError, WriteFailed
from otrdb.model import Merge
from otrdb.storage.blocks import Address
from otrdb.storage.records import Committed as CommittedEntry
from otrdb.storage.records import Entry, VersionsPruned, encode
from otrdb.tree import EVERYTHING, Edit, Node, Save, emptied_root, erase, thin

from .core import Core, now_ns
from .damage import concerning
from .pending import without
from .roots import insert_chunks
from .state import Chunk, Prefix, StreamState
from .thinned import check_not_thinned
from .versions import Committed

if TYPE_CHECKING:
    from otrdb.model import Int64Array
    from otrdb.tree import Address as TreeAddress
    from otrdb.tree import Child, Thinning

    from .encoding import Encoder

THINNED_AT_ONCE = 16
"""Children of nodes that are thinned by one commit, each of up to 256 windows: others wait for it."""

STREAMED_POINTS = 1 << 19
"""A batch of more points is written while its tree is made, so that its leaves are not all in memory."""

SHARED_TREES = 256
"""A commit of more streams shares its trees with nobody and lets them go once they are written."""

CACHED_TREES = 16
"""A commit of more streams caches no points it reads: they would drive out nodes that the next one needs."""


class Batch(NamedTuple):
    """Points of one stream, in order of arrival: int64[n] times and value words."""

    state: StreamState
    times: Int64Array
    words: Int64Array


class _Plan(NamedTuple):
    """One stream's part of a commit: the state it starts from, what comes to it, and the version it makes.

    The points of the range ``erased``, if there is one, go, those of the prefix too.
    """

    state: StreamState
    prefix: Prefix
    direct: Chunk | None
    version: int
    erased: tuple[int, int] | None = None

    @property
    def applied(self) -> int:
        return self.prefix.lsn if self.direct is None else self.direct.lsn


class _Written(NamedTuple):
    plan: _Plan
    committed: Committed
    entry: bytes
    """Of the group record: a wide commit has many, and as objects they take five times as much memory."""


class _Made(NamedTuple):
    """A plan's tree: its points, its root where that was written before, and the blocks it leaves behind."""

    plan: _Plan
    points: int
    root: TreeAddress | None
    obsolete: list[TreeAddress]


def _written(made: _Made, root: TreeAddress) -> _Written:
    plan, address = made.plan, Address(*root)
    committed = Committed(plan.version, address, plan.applied, now_ns())
    lost = tuple(Address(*block) for block in made.obsolete)
    entry = CommittedEntry(
        plan.state.number, plan.version, address, plan.applied, made.points, committed.time, lost
    )
    return _Written(plan, committed, encode([entry]))


Change = Callable[[Edit, Node], Node]


class Committer:
    """Makes commits, one at a time."""

    def __init__(self, core: Core, encoder: Encoder) -> None:
        self._core = core
        self._encoder = encoder

    def pending(self, states: Sequence[StreamState]) -> None:
        """Commit what is pending for ``states``; streams with nothing pending are left alone."""
        with self._core.committing:
            for state in states:
                self._commit_held(state)
            with self._core.lock:
                plans = [self._plan(state) for state in states if self._has_pending(state)]
            if plans:
                self._run(plans)

    def everything(self) -> None:
        """Commit what is pending for all streams in one group.

        One group is one LSN: a batch over several streams is in the versions it makes whole or not at all.
        """
        core = self._core
        with core.committing:
            with core.lock:
                core.writable()
                states = map(core.streams.existing, core.pending.streams())
                plans = [self._plan(state) for state in states]
            if plans:
                self._run(plans)

    def direct(self, batches: Sequence[Batch], merge: Merge) -> None:
        """Commit a batch that skips the journal, with all that was pending before it (rule c)."""
        core = self._core
        with core.committing:
            for state, times, _ in batches:
                check_not_thinned(core, state, times)
            for state, _, _ in batches:
                self._commit_held(state)
            with core.lock:
                lsn = core.writable().take_lsn()
                for state, _, _ in batches:
                    self._alive(state)
                plans = [
                    self._plan(state, Chunk(lsn, lsn, times, words, merge)) for state, times, words in batches
                ]
            self._run(plans)

    def erase(self, state: StreamState, start: int, end: int) -> int:
        """Commit what is pending, then a version without the points of ``[start, end)``; returns that
        version.

        Where damage keeps what is pending from being committed, one version is made of both: points that are
        erased need not be put together with anything first.
        """
        core = self._core
        with core.committing:
            joint = not self._is_committed(state)
            with core.lock:
                self._alive(state)
                plan = self._plan(state)._replace(erased=(start, end))
                if not joint:
                    # What arrived since stays pending: it came after the deletion.
                    plan = plan._replace(prefix=Prefix(state.committed, [], 0))
            self._run([plan])
            return plan.version

    def _is_committed(self, state: StreamState) -> bool:
        """Commit what is pending for the stream; False if damage is in the way."""
        self._commit_held(state)
        try:
            self.pending([state])
        except Damaged:
            return False
        return True

    def thin(self, state: StreamState, thinning: Thinning) -> None:
        """Commit what is pending, then a version in which the oldest points that are to be thinned, of up to
        `THINNED_AT_ONCE` children of nodes, have given way to statistics.
        """
        core = self._core
        with core.committing:
            with core.lock:
                self._alive(state)
                # From here on no such old point is acknowledged before this is over (`Writer`); those that
                # were are committed first, so none is ever pending where the tree is thinned.
                setting = core.rules.bar(state.metadata.uuid, thinning.before)
            self.pending([state])
            with core.lock:
                self._alive(state)
                plan = self._plan(state)._replace(prefix=Prefix(state.committed, [], 0))
            self._run([plan], lambda edit, root: thin(edit, root, thinning, THINNED_AT_ONCE), [setting])

    def entries(self, entries: Sequence[Entry]) -> None:
        """Make entries that concern no tree durable, in a group of their own."""
        core = self._core
        with core.committing:
            core.writable()
            payload = encode(entries)
            with core.refusing(), core.segments.begin_group() as group:
                info = group.commit(payload)
            core.room.due = True
            core.catalog.apply(payload, info)

    def held(self, state: StreamState) -> None:
        """Commit as far as moments hold the stream, if they could not be answered from memory otherwise."""
        with self._core.committing:
            self._commit_held(state)

    def _commit_held(self, state: StreamState) -> None:
        """Before more is committed: states that moments hold, and that would be too large as overlays, are
        made versions.
        """
        core = self._core
        with core.lock:
            core.pending.absorb(state)
            lengths = core.moments.lengths(state) if self._has_pending(state) else []
            if not lengths:
                return
            plan = self._plan(state)
        large = None
        try:
            prefixes = (plan.prefix._replace(length=length) for length in lengths)
            large = next((prefix for prefix in prefixes if core.roots.too_large(state, prefix)), None)
        finally:
            if large is None:
                self._end([plan], certain=True)
        if large is not None:
            self._run([plan._replace(prefix=large)])
            self._commit_held(state)

    def _has_pending(self, state: StreamState) -> bool:
        self._core.writable()
        return not state.removed and bool(self._core.pending.counts[state.number])

    def _alive(self, state: StreamState) -> None:
        self._core.streams.check(state)

    def _plan(self, state: StreamState, direct: Chunk | None = None) -> _Plan:
        self._core.pending.absorb(state)
        state.last_version = state.planned = state.last_version + 1
        return _Plan(state, state.prefix(), direct, state.planned)

    def _run(
        self, plans: Sequence[_Plan], change: Change | None = None, entries: Sequence[Entry] = ()
    ) -> None:
        core = self._core
        try:
            with core.refusing():
                # Rule (b): parts of these records may belong to streams that are not in this commit.
                core.writable().sync_through(max(plan.prefix.lsn for plan in plans))
                self._group(plans, change, entries)
        except BaseException as error:
            # Whether the group is on the disk may be doubtful: then its versions may be met again.
            self._end(plans, certain=isinstance(error, OtrError) and not isinstance(error, WriteFailed))
            raise
        self._end(plans, certain=True)

    def _end(self, plans: Sequence[_Plan], *, certain: bool) -> None:
        """The commit is over. Versions that were certainly not made may be given again."""
        with self._core.lock:
            for state, _, _, version, _ in plans:
                if certain and state.committed.version != version:
                    state.last_version = version - 1
                state.planned = 0

    def _group(self, plans: Sequence[_Plan], change: Change | None, entries: Sequence[Entry]) -> None:
        core = self._core
        with core.segments.begin_group() as group:
            save = Save(group, self._encoder.map, keep=len(plans) <= SHARED_TREES)
            try:
                written = self._write(save, plans, change)
                pruned = self._prunable(written)
                gone = encode(VersionsPruned(state.number, tuple(versions)) for state, versions in pruned)
                payload = b"".join([*(part.entry for part in written), gone, encode(entries)])
                info = group.commit(payload)
            except BaseException:
                save.abandon()
                raise
        core.room.due = True
        with core.lock:
            save.publish()
            for part in written:
                self._publish(part, pure=change is None and part.plan.erased is None)
            for state, versions in pruned:
                core.versions(state).discard(frozenset(versions))
        core.catalog.apply(payload, info)

    def _write(self, save: Save, plans: Sequence[_Plan], change: Change | None) -> list[_Written]:
        """Make the trees and write them, some at a time: their leaves are coded together."""
        written, made = list[_Written](), list[_Made]()
        for plan in plans:
            made.append(self._made(save, plan, change, len(plans)))
            if save.full or plan is plans[-1]:
                addresses = iter(save.write())
                written += [_written(tree, tree.root or next(addresses)) for tree in made]
                made = []
        return written

    def _made(self, save: Save, plan: _Plan, change: Change | None, trees: int) -> _Made:
        """The tree a plan makes, one of so many, taken to be saved if it is another than before."""
        state, before = plan.state, plan.prefix.committed.root
        with concerning(state):
            if plan.erased is None:
                root, obsolete = self._merged(save, plan, trees)
            else:
                root, obsolete = self._without(save, plan, *plan.erased)
            if change is not None:
                edit = Edit(state.source, plan.version)
                root = change(edit, root)
                obsolete += edit.obsolete
            unchanged = before is not None and root is state.source.cache.get(before)
            if not unchanged:
                save.take(state.source, root)
        if before is not None and not unchanged:
            obsolete.append(before)
        return _Made(plan, root.count, before if unchanged else None, obsolete)

    def _merged(self, save: Save, plan: _Plan, trees: int) -> tuple[Node, list[TreeAddress]]:
        """The tree of all the plan's points, and the written blocks it leaves behind.

        If the tree may be shared with readers, pending points come by way of their overlay. What would be
        too large for memory is written as it is made.
        """
        roots, state, prefix = self._core.roots, plan.state, plan.prefix
        chunks = prefix.chunks[: prefix.length]
        large = plan.direct is not None and len(plan.direct.times) >= STREAMED_POINTS
        large = large or (bool(chunks) and roots.too_large(state, prefix))
        keep = trees <= CACHED_TREES
        if trees <= SHARED_TREES and chunks and not large:
            overlay = roots.overlay(state, prefix, plan.version, keep=keep)
            base, obsolete, chunks = overlay.root, list(overlay.obsolete), []
        else:
            base, obsolete = roots.committed(state, prefix.committed.root), []
        chunks += [plan.direct] if plan.direct is not None else []
        placed = self._early(save, state, chunks) if large else None
        edit = Edit(state.source, plan.version, placed, keep=keep)
        return insert_chunks(edit, base, chunks), obsolete + edit.obsolete

    def _without(self, save: Save, plan: _Plan, start: int, end: int) -> tuple[Node, list[TreeAddress]]:
        """The same without the points of ``[start, end)``: they go first, so that none of the others is
        merged into a block of theirs. The tree is not shared.
        """
        state, prefix = plan.state, plan.prefix
        edit = Edit(state.source, plan.version)
        base = erase(edit, self._base(plan, start, end), start, end)
        chunks = without(prefix.chunks[: prefix.length], start, end)
        large = self._core.roots.scattered(state, base, chunks)
        more = Edit(state.source, plan.version, self._early(save, state, chunks) if large else None)
        return insert_chunks(more, base, chunks), edit.obsolete + more.obsolete

    def _base(self, plan: _Plan, start: int, end: int) -> Node:
        """The root that the points of ``[start, end)`` go from; nobody needs to read it if these are all."""
        try:
            return self._core.roots.committed(plan.state, plan.prefix.committed.root)
        except Damaged:
            if (start, end) != EVERYTHING:
                raise
            return emptied_root(plan.version)

    def _early(self, save: Save, state: StreamState, chunks: list[Chunk]) -> Callable[[Child], None] | None:
        """Writes leaves as they are placed, where one insert does it all and reads none of them again."""
        merges = {chunk.merge for chunk in chunks}
        return save.early(state.source) if len(merges) == 1 and Merge.REPLACE not in merges else None

    def _prunable(self, written: Sequence[_Written]) -> list[tuple[StreamState, list[int]]]:
        core, now = self._core, now_ns()
        found = []
        for (state, *_), committed, _ in written:
            with core.lock:
                if not core.history_of(state).due(state.pruned, now):
                    continue
                state.pruned = now
                versions = [*core.versions(state), committed]
            pruned = core.prunable(state, versions, now)
            if pruned:
                found.append((state, pruned))
        return found

    def _publish(self, part: _Written, *, pure: bool) -> None:
        core, (state, prefix, direct, _, _) = self._core, part.plan
        core.pending.absorb(state)
        applied = prefix.length if pure and direct is None else None
        core.moments.pin(state, applied)
        core.marks.keep(state, part.committed, applied)
        core.pending.release(state, prefix.chunks[: prefix.length])
        state.commit(part.committed, prefix.length)
        core.streams.applied[state.number] = part.committed.applied
        core.roots.drop(state)
