"""The streams of the archive that is fuzzed, and what must still be in them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import numpy as np

import otrdb

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
POINTS = 20_000
KNOWN, VICTIMS, DOOMED, GONE = 6, 24, 400, 4
COLLECTION = "known"


class Columns(NamedTuple):
    """The points of a stream."""

    times: np.ndarray[Any, np.dtype[np.int64]]
    values: np.ndarray[Any, Any]


class Streams(NamedTuple):
    """Whom requests may name: `known` ones are only read, `victims` are changed, `doomed` ones may be
    obliterated, `gone` ones have been.
    """

    known: dict[UUID, Columns]
    victims: list[UUID]
    doomed: list[UUID]
    gone: list[UUID]


def create(path: Path, rng: Random) -> Streams:
    """An archive with streams of all kinds: committed and pending points, versions, a deletion."""
    with otrdb.open(path, durability="off") as db:
        kinds = list(otrdb.Kind)
        made = [
            db.create(
                COLLECTION,
                kind=kinds[number % 3],
                tags={"name": f"s{number}", "unit": "V"},
                uuid=_uuid(rng),
            )
            for number in range(KNOWN)
        ]
        for stream in made:
            fill(stream, rng)
        victims, doomed, gone = (
            [db.create(name, tags={"name": f"s{number}"}, uuid=_uuid(rng)) for number in range(count)]
            for name, count in (("victims", VICTIMS), ("doomed", DOOMED), ("gone", GONE))
        )
        for stream in gone:
            stream.insert(1, 1.0)
            stream.obliterate()
        known = {stream.uuid: columns(stream) for stream in made}
        return Streams(known, *([stream.uuid for stream in each] for each in (victims, doomed, gone)))


def _uuid(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def fill(stream: otrdb.Stream, rng: Random) -> None:
    """Points in several batches, the last of them pending."""
    random = np.random.default_rng(rng.getrandbits(32))
    for turn in range(4):
        times = START + SECOND * (np.arange(POINTS // 4) + turn * POINTS // 5)
        values = random.integers(-1_000, 1_000, len(times))
        if stream.kind is otrdb.Kind.BOOL:
            values = values & 1
        stream.insert(times, values.astype(stream.kind.dtype))
        if turn < 3:
            stream.flush()
    stream.delete(START + 100 * SECOND, START + 200 * SECOND)
    stream.insert(START + 150 * SECOND, stream.kind.dtype.type(1))


def columns(stream: otrdb.Stream) -> Columns:
    """What is in a stream."""
    return Columns(*stream.values().to_numpy())


def lost(path: Path, streams: Streams) -> list[str]:
    """What is not as it was, or damaged: of the archive once its server has stopped."""
    with otrdb.open(path) as db:
        problems = [f"{finding.code} {finding.message}" for finding in db.check()]
        for uuid, before in streams.known.items():
            after = columns(db.stream(uuid))
            if not all(one.tobytes() == other.tobytes() for one, other in zip(before, after, strict=True)):
                problems.append(f"{uuid} has {len(after.times)} points, not the {len(before.times)} it had")
        return problems
