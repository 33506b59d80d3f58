"""Single-bit flips over a whole store, one at a time: each is detected or harmless.

None gives a wrong answer that nobody is warned of, none gives a point that was never stored, none keeps the
archive from opening or streams from answering that have nothing in the damaged place.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from otrdb.errors import Damaged, OtrError
from otrdb.model import FIRST_VERSION
from otrdb.testing import FaultyMedium, Insert, create_all, everything, kind_of, opened, perform, uuid_of
from otrdb.testing.model import State
from otrdb.testing.operations import START, Ask, Delete, Flush, Keep, Operation, Update
from otrdb.testing.power_cuts import MEMORY
from otrdb.testing.witness import digest, points
from tests.crash.histories import BOOL, INT, JOURNAL, LARGE, SEGMENT, STREAMS, many, one, wide

if TYPE_CHECKING:
    from otrdb import Archive
    from otrdb.engine.versions import Committed

KINDS = ("segment", "catalog", "journal")

HISTORY: list[Operation] = [
    *[one(stream, 0, LARGE) for stream in STREAMS],
    many(STREAMS, 300, 20),
    Keep("kept"),
    Delete(0, START, START + 10**11),
    Update(1, "noted"),
    one(0, 5_000, 700),
    Flush(None),
    one(0, 6_000, 90),
    Flush(0),
    one(0, 6_100, 9),
    Flush(0),
    one(1, 9_000, 40),
    wide(10_000, 3),
    Ask(1),
    one(INT, 9_500, 30, "equal"),
    one(2, 9_600),
    one(BOOL, 9_700, 5),
    one(2, 9_601),
]


@dataclass
class Flips:
    """What was flipped, by kind of file, and what came of it; and what was wrong, in words."""

    detected: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Flips) -> None:
        self.detected += other.detected
        self.harmless += other.harmless
        self.problems += other.problems


class Store:
    """A small store, with points in its journal, and every answer it gives when it is sound."""

    def __init__(self, directory: Path) -> None:
        self.catalog = directory / "catalog.sqlite"
        medium = FaultyMedium()
        archive = opened(medium, journal=JOURNAL, segment=SEGMENT, catalog=self.catalog)
        create_all(archive, STREAMS)
        for operation in HISTORY:
            perform(archive, operation)
        archive.close()
        # Closed, so that something vouches for the last record: else rot there looks like a torn tail.
        self.files = {**medium.crash(everything).contents(), "catalog.sqlite": self.catalog.read_bytes()}
        with self.opened(self.files) as sound:
            assert list(sound.check()) == []
            self.answers = answers(sound)
            assert sound.stats()["pending_points"] > 0

    def opened(self, files: dict[str, bytes]) -> Archive:
        self.catalog.with_name("catalog.sqlite-journal").unlink(missing_ok=True)
        self.catalog.write_bytes(files["catalog.sqlite"])
        return opened(
            FaultyMedium.of({name: data for name, data in files.items() if name != "catalog.sqlite"}),
            journal=JOURNAL,
            segment=SEGMENT,
            catalog=self.catalog,
        )


def answers(archive: Archive) -> dict[int, object]:
    """What each stream answers: points and windows, now and at every version kept, and its metadata."""
    return {stream: answer(archive, stream) for stream in STREAMS}


def answer(archive: Archive, stream: int) -> object:
    handle = archive.stream(uuid_of(stream))
    versions = [each.version for each in _versions(archive, stream) if each.version > FIRST_VERSION]
    kept = [(version, digest(handle.at(version))) for version in versions]
    return digest(handle), kept, handle.collection, handle.annotations, archive.snapshots()


def _versions(archive: Archive, stream: int) -> list[Committed]:
    core = archive._engine.core
    with core.lock:
        return list(core.versions(archive.stream(uuid_of(stream)).state))


def flip(seed: int, number: int) -> Flips:
    """So many flips, anywhere in the store."""
    rng, result = random.Random(seed), Flips()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        store = Store(Path(directory))
        for turn in range(number):
            name, place = _place(store, rng, KINDS[turn % len(KINDS)])
            data = bytearray(store.files[name])
            data[place] ^= 1 << rng.randrange(8)
            _judge(store, name, place, bytes(data), result)
    return result


def _place(store: Store, rng: random.Random, kind: str) -> tuple[str, int]:
    """A byte anywhere in the files of one kind, but for the zeros that a journal file has not used."""
    files = {name: data for name, data in store.files.items() if name.startswith(kind)}
    sizes = [len(data.rstrip(b"\0") if kind == "journal" else data) for data in files.values()]
    [(name, size)] = rng.choices(list(zip(files, sizes, strict=True)), sizes)
    return name, rng.randrange(size)


def _judge(store: Store, name: str, place: int, data: bytes, result: Flips) -> None:
    kind = next(kind for kind in KINDS if name.startswith(kind))
    try:
        differing, warned = _look(store, {**store.files, name: data})
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
        result.problems.append(f"{name} at {place}: {error!r}")
        return
    if differing and not warned:
        result.problems.append(f"{name} at {place}: streams {differing} answer wrongly, and nobody is warned")
    elif len(differing) == len(STREAMS):
        result.problems.append(f"{name} at {place}: no stream answers as before; {warned}")
    (result.detected if warned else result.harmless)[kind] += 1


def _look(store: Store, files: dict[str, bytes]) -> tuple[list[int], list[str]]:
    """The streams that do not answer as they should, and the warnings that were given."""
    differing, warned = [], []
    with store.opened(files) as archive:
        for stream in STREAMS:
            try:
                same = answer(archive, stream) == store.answers[stream]
            except OtrError as error:
                same = False
                warned.append(str(error))
            if not same:
                differing.append(stream)
                _only_stored_points(store, archive, stream)
        warned += [str(finding) for finding in archive.check(deep=True)]
    return differing, warned


def _only_stored_points(store: Store, archive: Archive, stream: int) -> None:
    try:
        times, values = points(archive, stream)
    except Damaged:
        return
    stored = set(_all_points(stream))
    found = list(zip(times.tolist(), values.tolist(), strict=True))
    assert stored.issuperset(found), f"stream {stream} gives points that were never stored"


def _all_points(stream: int) -> list[tuple[int, object]]:
    parts = [each.parts[stream] for each in HISTORY if isinstance(each, Insert) and stream in each.parts]
    times, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    state = State(times, values.astype(kind_of(stream).dtype))
    return list(zip(state.times.tolist(), state.values.tolist(), strict=True))
