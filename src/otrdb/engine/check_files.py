"""The part of a check that looks at segments and journal as files, and at bytes that no version needs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from crc32c import crc32c

from otrdb import tree
from otrdb.errors import Damaged
from otrdb.results import CheckProgress, Finding
from otrdb.storage.blocks import NOWHERE
from otrdb.storage.journal_files import JOURNAL_NAMES, JournalFiles
from otrdb.storage.journal_reader import JournalReader
from otrdb.storage.records import Committed, VersionKept, decode
from otrdb.tree import LEAF_TYPE

from .check_catalog import Rebuilt
from .findings import damage_found, found_in, records_lost

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from otrdb.model import Kind
    from otrdb.storage.groups import GroupInfo
    from otrdb.storage.journal_scan import LostRecords
    from otrdb.storage.records import Entry
    from otrdb.storage.scan import Found

    from .core import Core
    from .engine import Engine

Place = tuple[int, int]

_NO_END: Final = (1 << 32, 0)


def check_segments(
    engine: Engine,
    sources: Mapping[Kind, tree.Source],
    told: set[Place],
    deep: bool,
    report: Callable[[CheckProgress], None],
) -> Iterator[Finding]:
    """What is wrong with headers, group records and blocks, but for blocks at places already ``told`` of.

    A deep check proves every byte. Each damaged block is looked for in the trees of its group, so that its
    stream and times can be named also where no version needs it any more.
    """
    with closing(Rebuilt(engine.core)) as rebuilt:
        yield from _Segments(engine.core, sources, told, report).findings(rebuilt, deep)


class _Segments:
    """One pass over all segments."""

    def __init__(
        self,
        core: Core,
        sources: Mapping[Kind, tree.Source],
        told: set[Place],
        report: Callable[[CheckProgress], None],
    ) -> None:
        self._core = core
        self._sources = sources
        self._told = told
        self._report = report
        self._sizes = core.segments.sizes()

    def findings(self, rebuilt: Rebuilt, deep: bool) -> Iterator[Finding]:
        """What is wrong; ``rebuilt`` takes the groups as long as none is lost."""
        core, met, last, sound = self._core, list[Damaged](), 0, True
        newest, end = core.catalog.position.sequence, (0, 0)
        for found in core.segments.scan(report=met.append, deep=deep, vouched=newest):
            core.check_open()
            gap = core.segments.freed.without(last + 1, found.info.sequence - 1)
            sound = sound and not met and not gap and found.info.sequence > last
            last = found.info.sequence
            entries = yield from _entries(found)
            group = _Group(core, self._sources, self._told, found.info, entries or [])
            yield from group.explain(met)
            met.clear()
            sound = sound and entries is not None
            if sound:
                rebuilt.take(found)
            end = found.info.end[1:]
            self._tell(*end)
        for damage in met:
            yield from _between(core, damage, _NO_END)
        if last < newest:
            text = f"The segments end with group {last}; there were {newest}."
            yield from _between(core, Damaged(text, segment=end[0], offset=end[1]), _NO_END)
        elif sound and not met:
            yield from rebuilt.differences()

    def _tell(self, segment: int, end: int) -> None:
        total = sum(self._sizes.values())
        done = end + sum(size for number, size in self._sizes.items() if number < segment)
        self._report(CheckProgress("bytes", min(done, total), total))


def _entries(found: Found) -> Generator[Finding, None, list[Entry] | None]:
    """The entries of a group, or what is wrong with them."""
    try:
        return decode(found.payload)
    except Damaged as error:
        yield Finding(error.code, f"Group {found.info.sequence}: {error.message}")
        return None


def _between(core: Core, damage: Damaged, end: Place) -> Iterator[Finding]:
    """Damage where a group should be, before ``end``: by the versions whose trees lie there, as far as the
    catalog knows any.
    """
    begin, found = (damage.segment or 0, damage.offset or 0), False
    for state in core.streams:
        with core.lock:
            versions = list(core.versions(state))
        for version, root, _, _ in versions:
            if root is not None and begin <= root[:2] < end:
                found = True
                text = f"{damage.message} Only the catalog knows of version {version} now."
                yield found_in(state, Finding(damage.code, text, None, *tree.EVERYTHING))
    if not found:
        yield damage_found(damage)


class _Group:
    """A group that happened, and what is wrong with it."""

    def __init__(
        self,
        core: Core,
        sources: Mapping[Kind, tree.Source],
        told: set[Place],
        info: GroupInfo,
        entries: Sequence[Entry],
    ) -> None:
        self._core = core
        self._sources = sources
        self._told = told
        self._info = info
        self._commits = [entry for entry in entries if isinstance(entry, (Committed, VersionKept))]

    def explain(self, met: list[Damaged]) -> Iterator[Finding]:
        """Damage met up to this group, that in its own blocks by stream and times."""
        info = self._info
        for damage in met:
            inside = damage.segment == info.address.segment and (damage.offset or 0) >= info.start
            begin = (info.address.segment, info.start)
            yield from self._inside(damage) if inside else _between(self._core, damage, begin)

    def _inside(self, damage: Damaged) -> Iterator[Finding]:
        places = list(self._damaged_blocks())
        for place in places:
            if place not in self._told:
                self._told.add(place)
                yield self._owned(place)
        if not places:
            yield damage_found(damage)

    def _damaged_blocks(self) -> Iterator[Place]:
        """The blocks of the group that are not sound, as far as one leads to the next."""
        info, segments = self._info, self._core.segments
        segment, offset, _, _ = info.address
        at = info.start
        try:
            for at, block in segments.blocks(segment, info.start, offset):
                if block is None or (block.type == LEAF_TYPE and not self._has_sound_pages(at, block.head)):
                    yield segment, at
        except Damaged:
            yield segment, at

    def _has_sound_pages(self, offset: int, head: bytes) -> bool:
        segment = self._info.address.segment
        pages = tree.page_sums(head)
        address = (segment, offset, len(head) + sum(size for size, _ in pages), len(head))
        at = 0
        for size, crc in pages:
            if crc32c(self._core.segments.read_body(address, at, size)) != crc:
                return False
            at += size
        return True

    def _owned(self, place: Place) -> Finding:
        """A damaged block, with its stream and times as far as a tree of the group has it."""
        text = f"Segment {place[0]} has a damaged block at byte {place[1]:,}"
        for commit in self._commits:
            state = self._core.streams.number(commit.number)
            if state is None or commit.root == NOWHERE:
                continue
            times = self._times(self._sources[state.kind], commit, place)
            if times is not None:
                text += f", in version {commit.version}."
                return found_in(state, Finding(Damaged.code, text, None, *times))
        numbers = ", ".join(str(commit.number) for commit in self._commits)
        text += f", in group {self._info.sequence}"
        text += f", which has versions of streams number {numbers}." if numbers else "."
        return Finding(Damaged.code, text)

    def _times(
        self, source: tree.Source, commit: Committed | VersionKept, place: Place
    ) -> tuple[int, int] | None:
        if commit.root[:2] == place:
            return tree.EVERYTHING
        try:
            return tree.locate(source, source.node_at(commit.root), place)
        except Damaged:
            return None


def check_journal(engine: Engine) -> Iterator[Finding]:
    """What is wrong with the files of the journal.

    Somebody may be writing them: a place that was read while it was written looks damaged once, and not a
    second time.
    """
    core = engine.core
    files = JournalFiles(core.segments.medium, core.segments.archive)
    lost = _lost_records(files)
    if lost:
        again = _lost_records(files)
        yield from (records_lost(core, each) for each in lost if each in again)
    for number in files.numbers()[:-1]:  # the newest may just be in the making
        try:
            unsound = files.header(number) is None
        except FileNotFoundError:
            continue
        if unsound:
            yield Finding(Damaged.code, f"{JOURNAL_NAMES.name(number)} has no sound header.")


def _lost_records(files: JournalFiles) -> list[LostRecords]:
    lost: list[LostRecords] = []
    for _ in JournalReader(files).records(lost.append):
        pass
    return lost
