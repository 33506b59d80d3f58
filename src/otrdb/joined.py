"""The points of several streams in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from otrdb.errors import InvalidArgument, WrongKind
from otrdb.export import Column, Foreign, Table, import_extra
from otrdb.model import Array, BoolArray, Int64Array, Kind
from otrdb.results import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import pandas as pd

    from otrdb.results import LeftOut, Points


class Part(NamedTuple):
    """One stream's share of a join."""

    uuid: UUID
    points: Points


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Wide(Table):
    """A row per time and a column per stream, in the order the streams were named.

    Where a stream has no point `valid` is False and the value is NaN, 0 or False. In Arrow, pandas and polars
    such cells are null (NaN in a float column of pandas); columns are named by the uuid.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> heat, pulses = db.create("a"), db.create("b", kind="int")
        >>> _ = db.insert({heat: (1, 20.5), pulses: ([1, 2], [7, 8])})
        >>> wide = db.values([heat, pulses])
        >>> wide.times, wide.columns
        (array([1, 2]), (array([20.5,  nan]), array([7, 8])))
    """

    times: Int64Array
    """int64[n], ns since 1970 UTC, ascending."""
    columns: tuple[Array, ...]
    """Each stream's values, of its kind, length n."""
    valid: tuple[BoolArray, ...]
    """Whether each stream has a point in that row, bool[n] each."""
    uuids: tuple[UUID, ...]
    kinds: tuple[Kind, ...]
    left_out: tuple[LeftOut, ...] = ()
    """What the answer lacks, stream by stream: empty unless damage may be left out."""

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return f"<Wide: {len(self)} rows of {len(self.columns)} streams{in_words(self.left_out)}>"

    def to_numpy(self) -> tuple[Int64Array, tuple[Array, ...]]:
        """`(times, columns)`, not copied."""
        return self.times, self.columns

    def to_pandas(self) -> pd.DataFrame:
        """A pandas DataFrame with an index of UTC times in ns, a column per stream."""
        package = import_extra("pandas", "pandas")
        columns = zip(self.kinds, self.columns, self.valid, strict=True)
        series = {position: _nullable(package, *column) for position, column in enumerate(columns)}
        frame: pd.DataFrame = package.DataFrame(series, index=self.pandas_index())
        frame.columns = package.Index([str(uuid) for uuid in self.uuids])
        return frame

    def table_columns(self) -> list[Column]:
        """The columns as they are handed out, in order."""
        cells = zip(self.uuids, self.kinds, self.columns, self.valid, strict=True)
        columns = [Column(str(uuid), kind.value, values, valid) for uuid, kind, values, valid in cells]
        return [Column("time", "time", self.times), *columns]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Long(Table):
    """A row per point: stream, time, value; ascending in time, streams in the order named where times are
    equal.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> here, there = db.create("a"), db.create("b")
        >>> _ = db.insert({here: ([1, 3], [20.5, 20.7]), there: (2, 18.0)})
        >>> long = db.values([here, there], align="long")
        >>> long.streams, long.times, long.values
        (array([0, 1, 0]), array([1, 2, 3]), array([20.5, 18. , 20.7]))
    """

    streams: Int64Array
    """int64[n]: position of the point's stream in `uuids`."""
    times: Int64Array
    """int64[n], ns since 1970 UTC."""
    values: Array
    """The values, of the streams' common kind."""
    uuids: tuple[UUID, ...]
    kind: Kind
    left_out: tuple[LeftOut, ...] = ()
    """What the answer lacks, stream by stream: empty unless damage may be left out."""

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return f"<Long: {len(self)} points of {len(self.uuids)} streams{in_words(self.left_out)}>"

    def to_numpy(self) -> tuple[Int64Array, Int64Array, Array]:
        """`(streams, times, values)`, not copied."""
        return self.streams, self.times, self.values

    def to_pandas(self) -> pd.DataFrame:
        """A pandas DataFrame with the columns stream (uuid text), time (UTC, ns) and value."""
        package = import_extra("pandas", "pandas")
        names = package.Categorical.from_codes(self.streams, [str(uuid) for uuid in self.uuids])
        columns = {"stream": names, "time": self.pandas_index(), "value": self.values}
        frame: pd.DataFrame = package.DataFrame(columns)
        return frame

    def table_columns(self) -> list[Column]:
        """The columns as they are handed out, in order."""
        names = np.array([str(uuid) for uuid in self.uuids], dtype="S36")[self.streams]
        return [
            Column("stream", "uuid", names),
            Column("time", "time", self.times),
            Column("value", self.kind.value, self.values),
        ]


Joined: TypeAlias = Wide | Long


def join(parts: Sequence[Part], align: str) -> Joined:
    """The points of `parts` in one table.

    "outer" and "inner" pair the k-th point of one stream at some time with the k-th of the others, so
    duplicate times multiply nothing and lose nothing. "long" needs streams of one kind (WrongKind otherwise).
    """
    if align == "long":
        return _long(parts)
    if align not in ("outer", "inner"):
        raise InvalidArgument(
            f"{align!r} is no way to align streams.", advice="Give 'outer', 'inner' or 'long'."
        )
    rows, times, occupied = pair_rows([part.points.times for part in parts])
    if align == "inner":
        full = occupied == len(parts)
        positions = np.cumsum(full) - 1
        rows = [np.where(full[row], positions[row], -1) for row in rows]
        times = times[full]
    cells = [_scatter(part.points, row, len(times)) for part, row in zip(parts, rows, strict=True)]
    return Wide(
        times=times,
        columns=tuple(values for values, _ in cells),
        valid=tuple(valid for _, valid in cells),
        uuids=tuple(part.uuid for part in parts),
        kinds=tuple(part.points.kind for part in parts),
        left_out=_left_out(parts),
    )


def _left_out(parts: Sequence[Part]) -> tuple[LeftOut, ...]:
    return tuple(left_out for part in parts for left_out in part.points.left_out)


def pair_rows(columns: Sequence[Int64Array]) -> tuple[list[Int64Array], Int64Array, Int64Array]:
    """For each column its points' rows; then each row's time and the number of columns that have it."""
    if not columns:
        return [], np.empty(0, np.int64), np.empty(0, np.int64)
    times = np.concatenate(columns)
    turns = np.concatenate([_occurrence(column) for column in columns])
    order = np.lexsort((turns, times))
    fresh = np.ones(len(times), dtype=np.bool_)
    fresh[1:] = (np.diff(times[order]) != 0) | (np.diff(turns[order]) != 0)
    row = np.empty(len(times), dtype=np.int64)
    row[order] = np.cumsum(fresh) - 1
    occupied = np.bincount(row, minlength=0).astype(np.int64)
    ends = np.cumsum([len(column) for column in columns])
    return np.split(row, ends[:-1]), times[order][fresh], occupied


def _occurrence(times: Int64Array) -> Int64Array:
    """How many points before it have the same time, for each of the ascending `times`."""
    positions = np.arange(len(times))
    return positions - np.searchsorted(times, times, side="left")


def _scatter(points: Points, rows: Int64Array, length: int) -> tuple[Array, BoolArray]:
    missing = np.nan if points.kind is Kind.FLOAT else 0
    values = np.full(length, missing, dtype=points.kind.dtype)
    valid = np.zeros(length, dtype=np.bool_)
    kept = rows >= 0
    values[rows[kept]] = points.values[kept]
    valid[rows[kept]] = True
    return values, valid


def _long(parts: Sequence[Part]) -> Long:
    kinds = {part.points.kind for part in parts} or {Kind.FLOAT}
    if len(kinds) > 1:
        raise WrongKind(
            "Streams of several kinds do not fit into one column of values.",
            advice="Use align='outer', or ask for one kind at a time.",
        )
    (kind,) = kinds
    streams = np.repeat(np.arange(len(parts)), [len(part.points) for part in parts])
    times = np.concatenate([np.empty(0, np.int64), *(part.points.times for part in parts)])
    values = np.concatenate([np.empty(0, kind.dtype), *(part.points.values for part in parts)])
    order = np.argsort(times, kind="stable")
    uuids = tuple(part.uuid for part in parts)
    return Long(streams[order], times[order], values[order], uuids, kind, _left_out(parts))


def _nullable(package: Foreign, kind: Kind, values: Array, valid: BoolArray) -> Foreign:
    if kind is Kind.FLOAT:
        return values
    masked = package.arrays.IntegerArray if kind is Kind.INT else package.arrays.BooleanArray
    return masked(values, ~valid)
