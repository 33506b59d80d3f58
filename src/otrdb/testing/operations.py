"""What a writer does to an archive, as data: whoever has the operations can tell what must be in the archive.

`operations` makes an endless mixture of them from a seed, so that a process that writes and a witness in
another one need not talk about them; `otrdb.testing.strategies` draws them with Hypothesis.

Example:
    >>> import otrdb, tempfile
    >>> from otrdb.testing import Witness, create_all, operations, perform
    >>> witness = Witness()
    >>> with otrdb.open(tempfile.mkdtemp()) as archive:
    ...     create_all(archive)
    ...     for _, operation in zip(range(20), operations(seed=1)):
    ...         witness.acknowledged(operation, perform(archive, operation))
    ...     witness.verify(archive)
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from uuid import UUID, uuid5

import numpy as np

from otrdb.model import Int64Array, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otrdb import Archive, Stream

FLOATS, INTS, BOOLS = 14, 5, 2
STREAMS = FLOATS + INTS + BOOLS
SPACE = UUID("00000000-0000-0000-0000-0000000000aa")
START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
THIN_POINTWIDTH = 36
LARGE = 17_000
"""Points of a batch that is a commit of its own."""


class Insert(NamedTuple):
    """An atomic batch: times and values by stream; `way` is how it is handed over."""

    way: str
    parts: dict[int, tuple[Int64Array, Any]]
    merge: str = "never"


class Delete(NamedTuple):
    """Deletes the points in ``[start, end)``."""

    stream: int
    start: int
    end: int


class Flush(NamedTuple):
    """Commits one stream, or all."""

    stream: int | None


class Ask(NamedTuple):
    """Asks for the version, and so makes a mark."""

    stream: int


class Update(NamedTuple):
    """Sets the annotation "note"."""

    stream: int
    note: str


class Create(NamedTuple):
    """Creates one more stream."""

    uuid: UUID


class Obliterate(NamedTuple):
    """Removes a stream that `Create` made."""

    uuid: UUID


class Keep(NamedTuple):
    """Takes a named snapshot."""

    name: str


class Drop(NamedTuple):
    """Drops a named snapshot."""

    name: str


class Prune(NamedTuple):
    """Lets go of all versions but the latest ones and those of named snapshots, now and from now on."""


class Thin(NamedTuple):
    """Thins what lies before a time, a multiple of ``2**44`` ns, to windows of ``2**THIN_POINTWIDTH`` ns."""

    before: int


class Compact(NamedTuple):
    """Gives back to the disk what no version needs."""


class Settle(NamedTuple):
    """Lets the time pass after which all that was acknowledged is durable with ``durability="interval"``."""


class Reopen(NamedTuple):
    """Closes the archive and opens it again, the catalog as it is, older, or gone.

    Done by whoever holds the archive, not by `perform`.
    """

    catalog: Literal["kept", "older", "gone"] = "kept"


Operation: TypeAlias = (
    Insert
    | Delete
    | Flush
    | Ask
    | Update
    | Create
    | Obliterate
    | Keep
    | Drop
    | Prune
    | Thin
    | Compact
    | Settle
    | Reopen
)


@cache
def uuid_of(stream: int) -> UUID:
    """The uuid of a stream of `create_all`."""
    return uuid5(SPACE, str(stream))


def kind_of(stream: int) -> Kind:
    """The kind of a stream of `create_all`."""
    return Kind.FLOAT if stream < FLOATS else Kind.INT if stream < FLOATS + INTS else Kind.BOOL


def create_all(archive: Archive, streams: Iterable[int] = range(STREAMS)) -> None:
    """Create the streams that operations name."""
    for stream in streams:
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
    """Do it and return what the archive answered.

    Of an insert whether it is durable, of a version its number and how many points it holds.
    """
    match operation:
        case Insert(way, parts, merge):
            return _perform_insert(archive, way, parts, merge)
        case Flush(None):
            archive.flush()
        case Flush(int(stream)):
            handle = archive.stream(uuid_of(stream))
            return _held(handle, handle.flush())
        case Delete(stream, start, end):
            handle = archive.stream(uuid_of(stream))
            return _held(handle, handle.delete(start, end))
        case Ask(stream):
            handle = archive.stream(uuid_of(stream))
            return _held(handle, handle.version)
        case Settle():
            archive._engine.core.writable().sync_through(1 << 62)
        case _:
            _perform_on_metadata(archive, operation)
    return None


def _perform_on_metadata(archive: Archive, operation: Operation) -> None:
    match operation:
        case Update(stream, note):
            archive.stream(uuid_of(stream)).update(annotations={"note": note})
        case Create(uuid):
            archive.create(f"made/{uuid}", uuid=uuid)
        case Obliterate(uuid):
            archive.stream(uuid).obliterate()
        case Keep(name):
            archive.snapshot(name=name).close()
        case Drop(name):
            archive.drop_snapshot(name)
        case Prune():
            archive.set_history("1ns,1ns,1ns")
            archive.expire()
        case Thin(before):
            archive.set_thinning(1, pointwidth=THIN_POINTWIDTH)
            archive.expire(now=before + 1)
            archive.set_thinning(None)  # else the next expiry, at another time, would thin more
        case Compact():
            archive.compact()
        case _:
            raise TypeError(f"{operation} is not done by an archive.")


def _held(stream: Stream, version: int) -> tuple[int, int]:
    return version, stream.at(version).count()


def _perform_insert(archive: Archive, way: str, parts: dict[int, tuple[Int64Array, Any]], merge: Any) -> bool:
    handles = [archive.stream(uuid_of(stream)) for stream in parts]
    columns = list(parts.values())
    if way == "one":
        return handles[0].insert(*columns[0], merge=merge).durable
    if way == "many":
        return archive.insert(dict(zip(handles, columns, strict=True)), merge=merge).durable
    index = np.repeat(np.arange(len(parts)), [len(times) for times, _ in columns])
    times, values = (np.concatenate(column) for column in zip(*columns, strict=True))
    return archive.insert_columns(index, times, values, handles, merge=merge).durable
