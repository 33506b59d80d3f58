"""Reading the segments from a position on: which groups happened, what is torn, what is damaged.

The rules are those of `docs/format.md`, "The commit protocol". A scan reads headers and heads only; a group's
bodies are read to tell a whole last group from a torn one, and by a deep scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from otrdb.errors import Damaged
from otrdb.storage.freed import Freed
from otrdb.storage.groups import GroupInfo, Position
from otrdb.storage.headers import SEGMENT_HEADER
from otrdb.storage.segment_files import SegmentFiles, damaged
from otrdb.storage.walk import Met, Walk

Report: TypeAlias = Callable[[Damaged], None]
"""Is told of damage that was met and stepped over."""


class Found(NamedTuple):
    """A group that happened, and whether something written after its sync vouches for it."""

    info: GroupInfo
    payload: bytes
    vouched: bool


class Scan:
    """One pass over the groups after a position. Iterate once; the attributes are final when that is done.

    Groups up to ``vouched`` are known to have happened. ``numbers`` are the segments there are, if that is
    known. What was in segments that are ``freed`` is not missed.

    Attributes:
        end: after the newest group that happened.
        known: sequence of the newest group known to have been durable; it may be lost, and be above `end`.
        appendable: whether a new group may follow at `end`: nothing there is damaged or unreadable.
    """

    def __init__(
        self,
        files: SegmentFiles,
        position: Position,
        report: Report,
        *,
        deep: bool = False,
        vouched: int = 0,
        numbers: list[int] | None = None,
        freed: Freed | None = None,
    ) -> None:
        self._files = files
        self._freed = freed or Freed()
        self._walk = Walk(files)
        self._start = position
        self._report = report
        self._deep = deep
        self._vouched = vouched
        self._numbers = numbers
        self.end = position
        self.known = position.sequence
        self.appendable = True

    def __iter__(self) -> Iterator[Found]:
        present = self._files.numbers() if self._numbers is None else self._numbers
        numbers = [number for number in present if number >= self._start.segment]
        for number in numbers:
            yield from self._segment(number, final=number == numbers[-1])
        self._check_start(numbers)  # not before: the groups may say that it was given back
        if self.known > self.end.sequence:
            self.appendable = False
            self._lost(self.known)
        for error in self._walk.unreadable:
            if (error.segment, error.offset) >= self.end[1:]:
                self.appendable = False
                self._report(error)

    def _check_start(self, numbers: list[int]) -> None:
        sequence, segment, offset = self._start
        present = segment in numbers
        if segment in self._freed and self._freed.last_group <= sequence:
            return  # it was read to its end
        if sequence and not (present and offset <= self._files.file(segment).size()):
            self.appendable = False
            self._report(damaged("is cut off" if present else "is missing", segment, offset))

    def _segment(self, number: int, *, final: bool) -> Iterator[Found]:
        begin = self._start.offset if number == self._start.segment else SEGMENT_HEADER.size
        header = self._walk.header(number)
        if header and header.archive != self._files.archive:
            self.appendable = False
            self._report(damaged("belongs to another archive", number, 0))
            header = None
        elif header is None and self._deep and self._files.file(number).size() > SEGMENT_HEADER.size:
            self._report(damaged("has no sound header", number, 0))
        durable = header.durable if header else 0
        if durable > self.end.sequence:
            self._lost(durable)
        self.end = Position(max(self.end.sequence, durable), number, begin)
        held: Met | None = None
        for met in self._walk.records(number, begin):
            if held:
                yield from self._judge(held, vouched=met.record.durable >= held.record.info.sequence)
            held = met
        if held:
            yield from self._judge(held, vouched=not final or held.record.info.sequence <= self._vouched)

    def _judge(self, met: Met, *, vouched: bool) -> Iterator[Found]:
        record, broken = met
        info = record.info
        self.known = max(self.known, record.durable)
        whole = (vouched and not self._deep) or self._walk.is_whole(info)
        if not (vouched or whole):
            return
        if info.sequence != self.end.sequence + 1:
            self._lost(info.sequence - 1)
        if broken is not None and broken >= info.start:
            self._report(damaged("has a damaged block", info.address.segment, broken))
        elif not whole:
            self._report(
                damaged(f"has damage inside group {info.sequence}", info.address.segment, info.start)
            )
        self.end = info.end
        yield Found(info, record.payload, vouched)

    def _lost(self, last: int) -> None:
        """Groups up to ``last`` were durable, and cannot be found after the newest one that was (I6)."""
        _, segment, offset = self.end
        first = self.end.sequence + 1
        for low, high in self._freed.without(first, max(first, last)):
            groups = f"group {low}" if low == high else f"groups {low} to {high}"
            self._report(damaged(f"should go on with {groups}, which cannot be read,", segment, offset))
