"""What questions are answered with: columns, and a few small tuples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otrdb.errors import InvalidArgument
from otrdb.export import Column, Table, import_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    import pandas as pd

    from otrdb.model import Array, Int64Array, Kind

DEFAULT_COLUMNS: Final = ("min", "mean", "max", "count", "stddev")
"""The statistics `aligned_windows` and `windows` give unless asked otherwise."""

ALL_COLUMNS: Final = (*DEFAULT_COLUMNS, "first", "last", "sum")
"""Every statistic there is, in the order the columns of a result come."""

_OF_KIND: Final = frozenset({"min", "max", "first", "last"})


class Point(NamedTuple):
    """One point: `time` in ns since 1970 UTC, `value` a Python float, int or bool.

    Example:
        >>> Point(1_500_000_000_000_000_000, 20.5).value
        20.5
    """

    time: int
    value: float | int | bool


class Inserted(NamedTuple):
    """What an insert did.

    `version` is the newest version of the stream a number was given to, `pending` the number of acknowledged
    points not yet committed, `durable` whether the points would survive a power cut at this moment.

    Example:
        >>> import otrdb, tempfile
        >>> otrdb.open(tempfile.mkdtemp()).create("plant").insert([1, 2], [0.5, 1.0])
        Inserted(version=10, pending=2, durable=True)
    """

    version: int
    pending: int
    durable: bool


class InsertedBatch(NamedTuple):
    """What an insert over many streams did: how many `points` it gave to how many `streams`, and whether the
    batch would survive a power cut at this moment.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> db.insert({db.create("a"): (1, 0.5), db.create("b"): ([1, 2], [0.5, 1.0])})
        InsertedBatch(points=3, streams=2, durable=True)
    """

    points: int
    streams: int
    durable: bool


class Change(NamedTuple):
    """A range of times [start, end), ns, in which two versions may differ.

    Example:
        >>> import otrdb, tempfile
        >>> stream = otrdb.open(tempfile.mkdtemp()).create("plant")
        >>> _ = stream.insert(5, 0.5)
        >>> (change,) = stream.changes(10)
        >>> change.start <= 5 < change.end
        True
    """

    start: int
    end: int


class Finding(NamedTuple):
    """One thing that `check` found wrong: an error `code`, a sentence, and which points of which `stream`
    (uuid, and its `collection` and `name`) it concerns where known: those of [start, end), ns.

    Example:
        >>> import otrdb
        >>> found = Finding(otrdb.errors.Damaged.code, "Version 11: leaf cannot be read.", start=0, end=4_096)
        >>> found.code, found.stream
        ('OTR-5010', None)
    """

    code: str
    message: str
    stream: UUID | None = None
    start: int | None = None
    end: int | None = None
    collection: str | None = None
    name: str | None = None


class CheckProgress(NamedTuple):
    """How far a `check` has come: `done` of `total` points or bytes (which is `unit`).

    Example:
        >>> CheckProgress("points", 5_000, 20_000).done
        5000
    """

    unit: str
    done: int
    total: int


class BackedUp(NamedTuple):
    """What a backup did: bytes ``copied`` and bytes ``reused`` from earlier backups, and the damage of the
    archive that was met while it was copied, which is in the backup as well.

    Example:
        >>> import otrdb, tempfile
        >>> done = otrdb.open(tempfile.mkdtemp()).backup(tempfile.mkdtemp())
        >>> done.reused, done.findings
        (0, [])
    """

    copied: int
    reused: int
    findings: list[Finding]


class Compacted(NamedTuple):
    """What a compaction did: how many ``segments`` of how many ``bytes`` were given back, and the bytes that
    were ``moved`` out of them first. ``waiting`` of them stay on the disk for now, for those who still read
    them; ``findings`` is the damage that kept others from being moved.

    Example:
        >>> import otrdb, tempfile
        >>> otrdb.open(tempfile.mkdtemp()).compact().segments
        0
    """

    segments: int
    bytes: int
    moved: int
    waiting: int
    findings: list[Finding]


class Rule(NamedTuple):
    """How long something is kept: the ``value`` of a ``key`` ("retention", "thin" or "history") for the
    streams whose collection starts with ``prefix``, or for one ``stream`` (the text of its uuid); the other
    one is None.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> db.set_retention("90d", prefix="plant/")
        >>> db.rules()
        [Rule(key='retention', value='7776000000000000ns', prefix='plant/', stream=None)]
    """

    key: str
    value: str
    prefix: str | None
    stream: str | None


class Expiry(NamedTuple):
    """What is dropped of one ``stream`` (uuid): the ``points`` before a time (ns).

    Without a ``pointwidth`` all of them, by a retention; else they give way to the statistics of windows of
    ``2**pointwidth`` ns, each of which takes some 20 bytes.

    ``bytes`` is what the blocks that hold nothing else occupy; they can be given back when no kept version
    needs them any more. ``snapshots`` are the named ones that go on holding such points.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> _ = db.create("plant").insert([0, 10**18], [20.5, 20.7])
        >>> db.set_retention("30d")
        >>> expiry = db.expire(dry_run=True, now=10**18)[0]
        >>> expiry.points, expiry.bytes, expiry.snapshots
        (1, 0, ())
    """

    stream: UUID
    before: int
    points: int
    bytes: int
    snapshots: tuple[str, ...]
    pointwidth: int | None = None


class LeftOut(NamedTuple):
    """A range of times [start, end), ns, of one ``stream`` (uuid) that an answer lacks, because what is
    stored there is damaged: ``message`` says what was found, ``segment`` and ``offset`` where, if known.

    Example:
        >>> import otrdb, tempfile
        >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant").leaving_out_damage()
        >>> heat.count(), heat.left_out
        (0, ())
    """

    start: int
    end: int
    stream: UUID
    message: str
    segment: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Points(Table):
    """Points of one stream, ascending in time, equal times in order of arrival.

    An Arrow producer: pyarrow, polars, DuckDB and pandas take it as it is (extra "arrow").

    Example:
        >>> import numpy as np
        >>> from otrdb.model import Kind
        >>> points = Points(np.array([5, 6]), np.array([0.5, 1.0]), Kind.FLOAT, version=11)
        >>> list(points)
        [Point(time=5, value=0.5), Point(time=6, value=1.0)]
    """

    times: Int64Array
    """int64[n], ns since 1970 UTC."""
    values: Array
    """float64[n], int64[n] or bool[n], by `kind`."""
    kind: Kind
    version: int
    """The version read. Points that were pending then, if the latest was asked for, are in the answer too."""
    left_out: tuple[LeftOut, ...] = ()
    """What the answer lacks, ascending: empty unless damage may be left out (`leaving_out_damage`)."""

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Point]:
        return map(Point._make, zip(self.times.tolist(), self.values.tolist(), strict=True))

    def __repr__(self) -> str:
        gaps = in_words(self.left_out)
        return f"<Points: {len(self)} of kind {self.kind.value}, version {self.version}{gaps}>"

    def to_numpy(self) -> tuple[Int64Array, Array]:
        """The two columns `(times, values)`, not copied."""
        return self.times, self.values

    def to_pandas(self) -> pd.Series[Any]:
        """A pandas Series of the values with an index of UTC times in ns."""
        package = import_extra("pandas", "pandas")
        series: pd.Series[Any] = package.Series(self.values, index=self.pandas_index(), name="value")
        return series

    def table_columns(self) -> list[Column]:
        """The columns as they are handed out, in order."""
        return [Column("time", "time", self.times), Column("value", self.kind.value, self.values)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Windows(Table):
    """Statistics of consecutive windows of one stream, one row each, ascending.

    Columns are attributes and items alike: `windows.mean`, `windows["mean"]`. `min`, `max`, `first` and
    `last` are of the stream's kind; `mean` and `stddev` (population standard deviation) float64; `count`
    uint64; `sum` float64 for a float stream, and exact otherwise: an object array of Python integers.

    An Arrow producer, as `Points` is.

    Example:
        >>> import otrdb, tempfile
        >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
        >>> _ = heat.insert([0, 1, 2], [1.0, 2.0, 6.0])
        >>> windows = heat.windows(0, 3, 3)
        >>> windows.mean, windows["max"], windows.width
        (array([3.]), array([6.]), 3)
    """

    time: Int64Array
    """int64[n]: start of each window, ns since 1970 UTC."""
    columns: dict[str, Array]
    """The statistics asked for, by name, each of length n."""
    kind: Kind
    width: int
    """Every window's width, ns."""
    version: int
    """The version read. Points that were pending then, if the latest was asked for, are in the answer too."""
    left_out: tuple[LeftOut, ...] = ()
    """What the answer lacks, ascending: empty unless damage may be left out (`leaving_out_damage`). Windows
    that reach into one of these ranges are not in it."""

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, name: str) -> Array:
        if name == "time":
            return self.time
        try:
            return self.columns[name]
        except KeyError:
            raise InvalidArgument(
                f"This result has no column {name!r}.", advice=f"It has time, {', '.join(self.columns)}."
            ) from None

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_") or name not in ALL_COLUMNS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self[name]

    def __repr__(self) -> str:
        names, gaps = ", ".join(self.columns), in_words(self.left_out)
        return f"<Windows: {len(self)} of {self.width} ns, version {self.version}: {names}{gaps}>"

    def to_numpy(self) -> dict[str, Array]:
        """All columns by name, `time` first, not copied."""
        return {"time": self.time, **self.columns}

    def to_pandas(self) -> pd.DataFrame:
        """A pandas DataFrame with an index of UTC times in ns."""
        package = import_extra("pandas", "pandas")
        frame: pd.DataFrame = package.DataFrame(self.columns, index=self.pandas_index())
        return frame

    def table_columns(self) -> list[Column]:
        """The columns as they are handed out, in order."""
        kinds = {name: self._column_kind(name) for name in self.columns}
        return [Column("time", "time", self.time)] + [
            Column(name, kinds[name], values) for name, values in self.columns.items()
        ]

    def _column_kind(self, name: str) -> str:
        if name in _OF_KIND:
            return str(self.kind.value)
        if name == "count":
            return "count"
        return "total" if name == "sum" and self.kind.integer else "float"


def in_words(left_out: Sequence[LeftOut]) -> str:
    """What a result says of itself in short, if it lacks something."""
    return f"; {len(left_out)} damaged ranges left out" if left_out else ""


def check_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """`columns` as a tuple if each is a statistic that exists, once; InvalidArgument otherwise."""
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    unknown = [name for name in names if name not in ALL_COLUMNS]
    if unknown or len(set(names)) != len(names):
        raise InvalidArgument(
            f"Not a choice of columns: {', '.join(map(repr, names))}.",
            advice=f"Name each at most once, out of {', '.join(ALL_COLUMNS)}.",
        )
    return names
