"""Check: is the archive what it says it is?

It reads every block from the disk, by a small cache of its own: what the archive has in memory would hide
damage, and must not be driven out by what a check reads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final, TypeAlias

from otrdb import tree
from otrdb.errors import Damaged, InternalError
from otrdb.model import Kind
from otrdb.results import CheckProgress, Finding
from otrdb.tree import Cache, Source

from .blocks import CountedBlocks
from .check_files import check_journal, check_segments
from .findings import damage_found, found_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .engine import Engine
    from .reads import Frozen
    from .state import StreamState
    from .versions import Committed

Report: TypeAlias = Callable[[CheckProgress], None]
"""Is told now and then how far the check has come."""

_CACHE_BYTES: Final = 4 << 20


def silent(_: CheckProgress) -> None:
    """Nobody wants to know."""


def check(engine: Engine, *, deep: bool, report: Report = silent) -> Iterator[Finding]:
    """Yield what is wrong, as it is found: damage met when the archive was opened, then the trees of all
    versions, then the segments and the journal as files.

    A quick check reads nodes, and the heads of all blocks; a deep one every byte, and makes every summary
    again. Everything is read as it is when its turn comes, without holding up anybody.
    """
    engine.refresh()
    known = list(engine.core.findings)
    yield from known
    with engine.core.files_kept():
        trees = _Trees(engine, deep, report)
        yield from trees.findings()
        rest = (check_segments(engine, trees.sources, trees.places, deep, report), check_journal(engine))
        for findings in rest:
            for finding in findings:
                if finding not in known:
                    yield finding


def check_states(
    engine: Engine, states: Iterable[StreamState], freeze: Callable[[StreamState], Frozen], *, deep: bool
) -> Iterator[Finding]:
    """Yield what is wrong with the states of streams that ``freeze`` gives."""
    trees = _Trees(engine, deep, silent)
    for state in states:
        frozen = freeze(state)
        try:
            root = frozen.root
        except Damaged as error:
            yield found_in(state, damage_found(error))
        else:
            # Pending points have a stamp newer than every version given out.
            yield from trees.tree(state, root, frozen.version, newest=state.last_version + 1)


class _Trees:
    """The trees of the streams. ``places`` are those of damaged blocks that were told of."""

    def __init__(self, engine: Engine, deep: bool, report: Report) -> None:
        cache = Cache(_CACHE_BYTES)
        blocks = CountedBlocks(engine.core.segments)
        self.sources = {kind: Source(kind, blocks, cache) for kind in Kind}
        self.places = set[tuple[int, int]]()
        self._engine = engine
        self._deep = deep
        self._report = report
        self._done = 0
        self._total = 0

    def findings(self) -> Iterator[Finding]:
        """What is wrong with all streams."""
        core = self._engine.core
        with core.lock:
            states = list(core.streams)
        counts = {stream.number: stream.latest.count for stream in core.catalog.streams()}
        self._total = sum(counts.values())
        done = 0
        for state in states:
            yield from self._stream(state)
            done += counts.get(state.number, 0)
            self._step(done - self._done)

    def _step(self, points: int) -> None:
        self._done += points
        self._report(CheckProgress("points", self._done, self._total))

    def _stream(self, state: StreamState) -> Iterator[Finding]:
        core = self._engine.core
        core.check_open()
        with core.lock:
            versions = list(core.versions(state))
        newer: tree.Node | None = None
        for committed in reversed(versions):
            root = yield from self._root(state, committed)
            if root is not None:
                yield from self.tree(state, root, committed.version, newer)
                newer = root

    def _root(self, state: StreamState, committed: Committed) -> Generator[Finding, None, tree.Node | None]:
        if committed.root is None:
            return tree.empty_root()
        try:
            return self.sources[state.kind].node_at(committed.root)
        except Damaged as error:
            self.places.add(committed.root[:2])
            text = f"Version {committed.version}: {error.message}"
            yield found_in(state, Finding(error.code, text, None, *tree.EVERYTHING))
            return None

    def tree(
        self,
        state: StreamState,
        root: tree.Node,
        version: int,
        newer: tree.Node | None = None,
        newest: int = 0,
    ) -> Iterator[Finding]:
        """What is wrong with one version; not with what it shares with ``newer``.

        Nothing in it may have a stamp above ``newest``, by default the version itself.
        """
        source, step = self.sources[state.kind], self._step if newer is None else _uncounted
        faults = tree.verify(source, root, newest or version, deep=self._deep, newer=newer, step=step)
        for start, end, text, damage, place in faults:
            code = Damaged.code if damage else InternalError.code
            if place is not None:
                self.places.add(place)
            yield found_in(state, Finding(code, f"Version {version}: {text}", None, start, end))


def _uncounted(_: int) -> None:
    """Points of older versions are not in the total."""
