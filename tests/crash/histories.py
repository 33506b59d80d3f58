"""Short histories that together do everything an archive can, and how they are run.

Backups have cuts of their own, in `tests/engine/test_backup.py`.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch
from uuid import UUID

import numpy as np

from otrdb.engine import commit, engine, paced
from otrdb.storage import group_writer
from otrdb.testing import (
    Ask,
    Compact,
    Create,
    Delete,
    Drop,
    Flush,
    Insert,
    Keep,
    Obliterate,
    Operation,
    PowerCuts,
    Prune,
    Reopen,
    Settle,
    Thin,
    Update,
    kind_of,
    operations,
)
from otrdb.testing.operations import SECOND, START
from otrdb.testing.operations import STREAMS as ALL_STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FLOATS = (0, 1, 2)
INT, BOOL = 14, 19
STREAMS = (*FLOATS, INT, BOOL)

DURABILITIES = ("sync", "interval=1h", "off")
SECTORS = (512, 4096)

JOURNAL = 64 << 10
"""Journal files of 16 KiB: some inserts fill one, and more than 512 points are a commit of their own."""

SEGMENT = 8 << 10
SMALL_SEGMENT = 1 << 10
"""For a compaction, which has something to do where there are several."""

THINNED = START >> 44 << 44

SMALL_LEAF = 64
"""Points of a leaf where points are thinned: else there is nothing to thin in less than thousands."""

LARGE = 600
"""Points of a batch that skips the journal."""

MADE = [UUID(int=number) for number in range(1, 4)]


def columns(stream: int, start: int, count: int, step: int = 1) -> tuple[Any, Any]:
    times = START + SECOND * (start + step * np.arange(count))
    return times, (np.arange(count) * 7 % 5).astype(kind_of(stream).dtype)


def one(stream: int, start: int, count: int = 1, merge: str = "never", step: int = 1) -> Insert:
    return Insert("one", {stream: columns(stream, start, count, step)}, merge)


def many(streams: Sequence[int], start: int, count: int, merge: str = "never", way: str = "many") -> Insert:
    return Insert(way, {stream: columns(stream, start + stream, count) for stream in streams}, merge)


def wide(start: int, count: int = 1, merge: str = "never") -> Insert:
    return many(FLOATS, start, count, merge, "wide")


def seconds(stream: int, start: int, end: int) -> Delete:
    return Delete(stream, START + SECOND * start, START + SECOND * end)


def window(stream: int, second: int, pointwidth: int) -> Delete:
    """Deletes the aligned window that holds a second."""
    start = (START + SECOND * second) >> pointwidth << pointwidth
    return Delete(stream, start, start + (1 << pointwidth))


HISTORIES: dict[str, list[Operation]] = {
    "inserts": [
        one(0, 0),
        one(INT, 5, 3, step=-1),
        one(0, 0, 40, "equal"),
        many(STREAMS, 10, 2),
        wide(20),
        one(0, 0, 3, "retain"),
        wide(30, 3),
        one(0, 0, 2, "replace"),
        one(BOOL, 9, 9, step=0),
    ],
    "large inserts": [
        one(0, 100),
        many((0, 1), 90, 2),
        one(0, 0, LARGE),
        one(1, 50),
        many((0, 1, INT), 0, LARGE // 2, "retain"),
        wide(700, LARGE // 2),
        one(BOOL, 10, LARGE, "replace"),
        one(0, 300),
    ],
    "wide batches": [
        wide(0, 100),
        wide(100),
        many((0, 1, INT), 50, 90, "retain"),
        Ask(1),
        one(0, 400),
        wide(60, 120, "replace"),
        Flush(1),
        wide(20, 40, "equal"),
        *[wide(500 + 140 * turn, 150) for turn in range(10)],
        many(STREAMS, 300, 60),
        Reopen(),
        wide(90, 50),
        seconds(2, 80, 700),
        wide(600, LARGE // 2),
        wide(95, 35, "replace"),
    ],
    "commits": [
        one(0, 0, 5),
        wide(10),
        Flush(0),
        one(0, 3, 300),
        many(STREAMS, 7, 20),
        Flush(None),
        one(INT, 1),
        Flush(0),
        Settle(),
        one(INT, 2, 2),
        Flush(INT),
        Flush(None),
    ],
    "trickling": [
        one(0, 0, 300),
        Flush(0),
        *[
            step
            for start, count in ((300, 60), (360, 9), (369, 1))
            for step in (one(0, start, count), Flush(0))
        ],
        Keep("in sections"),
        one(0, 370, 2),
        Ask(0),
        one(0, 372, 90, "equal"),
        Flush(0),
        one(0, 462, 5),
        seconds(0, 355, 365),
        one(0, 470, 20),
        Flush(0),
        one(0, 490, 3, "replace"),
        Flush(0),
        one(0, 350, 2),
        Flush(0),
        Drop("in sections"),
    ],
    "carry-overs": [
        one(BOOL, 0, 2),
        *[one(turn % 2, 300 * turn, 300) for turn in range(6)],
        wide(5),
        *[one(turn % 2, 300 * turn, 400) for turn in range(6, 14)],
        one(BOOL, 9),
        *[one(2, 300 * turn, 400) for turn in range(12)],
    ],
    "marks": [
        Ask(0),
        one(0, 0),
        Ask(0),
        one(0, 1, 2),
        Ask(0),
        many((0, 1), 5, 2),
        Ask(1),
        Flush(0),
        one(1, 20),
        Ask(0),
        Ask(1),
        Reopen(),
        Ask(1),
        one(1, 30),
        Ask(1),
    ],
    "deletes": [
        one(0, 0, 30),
        seconds(0, 5, 10),
        seconds(0, 5, 10),
        one(0, 7, 2),
        one(1, 3),
        seconds(0, 0, 8),
        one(INT, 0, LARGE),
        seconds(INT, 100, 500),
        seconds(INT, -10, 1_000),
        one(INT, 3),
    ],
    "obliterate": [
        Create(MADE[0]),
        one(0, 0),
        Create(MADE[1]),
        Obliterate(MADE[0]),
        one(1, 1, 2),
        Obliterate(MADE[1]),
        Create(MADE[2]),
        Flush(None),
        Reopen("gone"),
        Obliterate(MADE[2]),
    ],
    "metadata": [
        Update(0, "first"),
        one(0, 0),
        Update(0, "second"),
        Update(INT, "other"),
        Flush(0),
        Update(0, "third"),
        Reopen("older"),
        Update(BOOL, "last"),
    ],
    "named snapshots": [
        one(0, 0, 4),
        wide(9),
        Keep("one"),
        one(0, 2),
        many(STREAMS, 3, 2),
        Keep("two"),
        Drop("one"),
        one(0, 8, LARGE),
        Keep("three"),
        Drop("two"),
    ],
    "catalogs": [
        one(0, 0, 20),
        Flush(None),
        Reopen("gone"),
        one(1, 4),
        Flush(1),
        seconds(0, 3, 6),
        Reopen("older"),
        Create(MADE[0]),
        Obliterate(MADE[0]),
        Reopen("older"),
        one(0, 5),
        Reopen("gone"),
    ],
    "segments": [
        *[one(turn % 3, 700 * turn, LARGE) for turn in range(9)],
        one(INT, 5),
        Flush(None),
        *[one(turn % 3, 350 * turn, LARGE, "equal") for turn in range(5)],
    ],
    "compaction": [
        *[one(turn % 2, 350 * turn, LARGE) for turn in range(4)],
        Create(MADE[0]),
        one(INT, 5),
        Keep("one"),
        Ask(INT),
        seconds(0, 0, 900),
        one(0, 100, LARGE, "replace"),
        Obliterate(MADE[0]),
        Update(1, "kept"),
        Prune(),
        Compact(),
        one(1, 5, 40),
        Ask(1),
        Drop("one"),
        one(1, 0, LARGE, "equal"),
        Reopen("older"),
        Prune(),
        Compact(),
        one(2, 7),
        Compact(),
        Reopen("gone"),
        one(0, 0, LARGE),
    ],
    "thinning": [
        one(0, -100_000, 150),
        one(INT, -100_000, 150),
        one(0, -99_000, LARGE),
        one(BOOL, -99_900, 40),
        Ask(0),
        one(0, -99_990, 3),
        many((0, 1), -60_000, 120),
        one(0, 5, 4),
        Thin(THINNED),
        one(0, -200_000, 2),
        one(0, 30, 2),
        Ask(0),
        window(0, -99_900, 36),
        window(0, -60_000, 44),
        Thin(THINNED),
        one(INT, -150_000, 120),
        Keep("one"),
        Reopen("older"),
        Thin(THINNED),
        Prune(),
        Compact(),
        Reopen("gone"),
        one(0, -190_000, 3),
        one(INT, 7, 2),
    ],
    "sessions": [
        one(0, 0),
        Reopen(),
        Reopen(),
        one(0, 1),
        Reopen(),
        one(0, 2, LARGE),
        Reopen("gone"),
        Ask(0),
        Reopen(),
        one(1, 3),
        Settle(),
        Reopen("older"),
    ],
}


def mixture(seed: int, length: int) -> list[Operation]:
    """A random history over all streams of `otrdb.testing.create_all`, larger batches included."""
    return list(islice(operations(seed), length))


@contextmanager
def small_leaves() -> Iterator[None]:
    """Where points are thinned: few are enough, and few are thinned at once."""
    with ExitStack() as stack:
        for name in ("chains", "edit", "insert", "verify"):
            module = import_module(f"otrdb.tree.{name}")
            stack.enter_context(patch.object(module, "LEAF_CAPACITY", SMALL_LEAF))
        stack.enter_context(patch.object(commit, "THINNED_AT_ONCE", 1))
        stack.enter_context(patch.object(engine, "THINNED_AT_ONCE", 1))
        yield


class Run(NamedTuple):
    """A history and how it is run."""

    name: str
    durability: str
    sector: int
    every: int = 1
    first: int = 0
    singles: int = 1 << 30

    @contextmanager
    def conditions(self) -> Iterator[None]:
        """With large sectors, groups are written in small pieces, trees while they are made, and a compaction
        takes many groups. Where points are thinned, leaves are small.
        """
        with ExitStack() as stack:
            if self.sector != SECTORS[0]:
                stack.enter_context(patch.object(group_writer, "_SPILL_BYTES", 1 << 8))
                stack.enter_context(patch.object(commit, "STREAMED_POINTS", 256))
                stack.enter_context(patch.object(paced, "LEAST", 1 << 10))
            if self.name == "thinning":
                stack.enter_context(small_leaves())
            yield

    def cuts(self) -> PowerCuts:
        small = self.name in HISTORIES
        return PowerCuts(
            STREAMS if small else range(ALL_STREAMS),
            durability=self.durability,
            sector=self.sector,
            journal=JOURNAL if small else 1 << 20,
            segment=self.segment(),
            every=self.every,
            first=self.first,
            singles=self.singles,
        )

    def segment(self) -> int:
        if self.name == "compaction":
            return SMALL_SEGMENT
        return SEGMENT if self.name in HISTORIES else 64 << 10

    def history(self) -> list[Operation]:
        if self.name in HISTORIES:
            return HISTORIES[self.name]
        return mixture(int(self.name.rpartition(" ")[2]), 25)
