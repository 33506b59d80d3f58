"""What a writing process does to an archive, as data that it and a witness make from the same seed.

The process performs the operations and says so before and after each; the witness, who knows the operations
too, applies those that were acknowledged to a plain model, and can tell what must be in the archive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID, uuid5

import numpy as np

from otrdb.model import Int64Array, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb import Archive, Stream

FLOATS, INTS, BOOLS = 14, 5, 2
STREAMS = FLOATS + INTS + BOOLS
SPACE = UUID("00000000-0000-0000-0000-0000000000aa")
START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
LARGE = 17_000
"""Points of a batch that is a commit of its own."""


class Insert(NamedTuple):
    """An atomic batch: times and values by stream; `way` is how it is handed over."""

    way: str
    parts: dict[int, tuple[Int64Array, Any]]
    merge: str = "never"


class Delete(NamedTuple):
    stream: int
    start: int
    end: int


class Flush(NamedTuple):
    stream: int | None


class Ask(NamedTuple):
    """Asks for the version, and so makes a mark."""

    stream: int


class Update(NamedTuple):
    stream: int
    note: str


class Create(NamedTuple):
    uuid: UUID


class Obliterate(NamedTuple):
    uuid: UUID


class Keep(NamedTuple):
    """Takes a named snapshot."""

    name: str


Operation: TypeAlias = Insert | Delete | Flush | Ask | Update | Create | Obliterate | Keep


def uuid_of(stream: int) -> UUID:
    return uuid5(SPACE, str(stream))


def kind_of(stream: int) -> Kind:
    return Kind.FLOAT if stream < FLOATS else Kind.INT if stream < FLOATS + INTS else Kind.BOOL


def create_all(archive: Archive) -> None:
    for stream in range(STREAMS):
        archive.create(f"line/{stream}", kind=kind_of(stream), uuid=uuid_of(stream))


def operations(seed: int) -> Iterator[Operation]:
    """An endless mixture; the same for the same seed."""
    rng = np.random.default_rng(seed)
    made: list[UUID] = []
    for number in range(1 << 30):
        yield _operation(rng, f"{seed}-{number}", made)


def _operation(rng: np.random.Generator, name: str, made: list[UUID]) -> Operation:
    stream = int(rng.integers(STREAMS))
    draw = int(rng.integers(100))
    if draw < 76:
        return _insert(rng, stream, draw)
    if draw < 80:
        start = int(_times(rng, 1)[0])
        return Delete(stream, start, start + int(rng.integers(1, 2_000)) * SECOND)
    if draw < 85:
        return Flush(stream if draw > 80 else None)
    if draw < 91:
        return Ask(stream)
    if draw < 95:
        return Update(stream, name)
    if draw < 97:
        return Keep(name)
    if made and draw < 98:
        return Obliterate(made.pop())
    made.append(uuid5(SPACE, name))
    return Create(made[-1])


def _insert(rng: np.random.Generator, stream: int, draw: int) -> Insert:
    if draw < 28:
        return Insert("one", {stream: _columns(rng, stream, 1)})
    if draw < 44:
        merge = ("never", "equal", "retain", "replace")[int(rng.integers(4))]
        return Insert("one", {stream: _columns(rng, stream, int(rng.integers(2, 300)))}, merge)
    if draw < 58:
        several = rng.choice(STREAMS, size=int(rng.integers(2, 9)), replace=False).tolist()
        return Insert("many", {each: _columns(rng, each, int(rng.integers(1, 60))) for each in several})
    if draw < 73:
        count = int(rng.integers(1, 4))
        return Insert("wide", {each: _columns(rng, each, count) for each in range(FLOATS)})
    if draw < 75:
        return Insert("one", {stream: _regular(rng, stream, LARGE)})
    three = rng.choice(STREAMS, size=3, replace=False).tolist()
    return Insert("many", {each: _regular(rng, each, LARGE // 3 + 1) for each in three})


def _times(rng: np.random.Generator, count: int) -> Int64Array:
    return START + SECOND * rng.integers(0, 20_000, count)


def _columns(rng: np.random.Generator, stream: int, count: int) -> tuple[Int64Array, Any]:
    return _times(rng, count), _values(rng, stream, count)


def _regular(rng: np.random.Generator, stream: int, count: int) -> tuple[Int64Array, Any]:
    begin = START + SECOND * int(rng.integers(-200_000, 200_000))
    return begin + 100_000_000 * np.arange(count), _values(rng, stream, count)


def _values(rng: np.random.Generator, stream: int, count: int) -> Any:
    return rng.integers(0, 50, count).astype(kind_of(stream).dtype)


def perform(archive: Archive, operation: Operation) -> Any:
    """Do it; returns what the archive answered: of a version also how many points it holds."""
    match operation:
        case Insert(way, parts, merge):
            _perform_insert(archive, way, parts, merge)
            return None
        case Flush(None):
            return archive.flush()
        case Flush(int(stream)):
            return _held(archive.stream(uuid_of(stream)), None)
        case Delete(stream, start, end):
            handle = archive.stream(uuid_of(stream))
            return _held(handle, handle.delete(start, end))
        case Ask(stream):
            handle = archive.stream(uuid_of(stream))
            return _held(handle, handle.version)
        case Update(stream, note):
            return archive.stream(uuid_of(stream)).update(annotations={"note": note})
        case Create(uuid):
            archive.create(f"made/{uuid}", uuid=uuid)
            return None
        case Obliterate(uuid):
            return archive.stream(uuid).obliterate()
        case Keep(name):
            return archive.snapshot(name=name).close()


def _held(stream: Stream, version: int | None) -> tuple[int, int]:
    number = stream.flush() if version is None else version
    return number, stream.at(number).count()


def _perform_insert(archive: Archive, way: str, parts: dict[int, tuple[Int64Array, Any]], merge: Any) -> None:
    handles = [archive.stream(uuid_of(stream)) for stream in parts]
    columns = list(parts.values())
    if way == "one":
        handles[0].insert(*columns[0], merge=merge)
    elif way == "many":
        archive.insert(dict(zip(handles, columns, strict=True)), merge=merge)
    else:
        index = np.repeat(np.arange(len(parts)), [len(times) for times, _ in columns])
        times, values = (np.concatenate(column) for column in zip(*columns, strict=True))
        archive.insert_columns(index, times, values, handles, merge=merge)
