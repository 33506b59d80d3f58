"""The questions that streams, versions and streams in a snapshot are asked, each by one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otrdb.columns import decode_one
from otrdb.model import MAX_TIME, MIN_TIME, Kind
from otrdb.ranges import check_pointwidth, to_instant, to_range, window_count, zoom_pointwidth
from otrdb.remote.receiving import left_out_of, points_of, windows_of
from otrdb.results import DEFAULT_COLUMNS, Point, Points, Windows, check_columns
from otrdb.times import INT64_MAX, TimeLike, WidthLike, to_ns, to_width
from otrdb.wire import otrdb as wire

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from otrdb.remote.link import Link
    from otrdb.results import LeftOut


class Reads:
    """The questions. Whoever inherits says of what state of which stream."""

    __slots__ = ()

    @property
    def link(self) -> Link:
        """The connection."""
        raise NotImplementedError

    @property
    def uuid(self) -> UUID:
        """The identity of the stream."""
        raise NotImplementedError

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        raise NotImplementedError

    def state(self) -> wire.State:
        """Which state is asked."""
        raise NotImplementedError

    def values(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> Points:
        """The points of ``[start, end)`` (ns), as `otrdb.Stream.values`. They come in pieces of 1 MiB, all of
        one state.
        """
        low, high = to_range(start, end)
        params = wire.ValuesParams(state=self.state(), uuid=[self.uuid.bytes], start=low, end=high)
        (points,) = points_of([self.kind], self.link.each("Values", params))
        self.lacks(points.left_out)
        return points

    def aligned_windows(
        self, start: TimeLike, end: TimeLike, pointwidth: int, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of the windows of ``2**pointwidth`` ns that hold points, as
        `otrdb.Stream.aligned_windows`.
        """
        names = check_columns(columns)
        low, high = to_range(start, end)
        return self._windows(names, start=low, end=high, pointwidth=check_pointwidth(pointwidth))

    def windows(
        self, start: TimeLike, end: TimeLike, width: WidthLike, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of every window of ``width`` ns from ``start`` on, as `otrdb.Stream.windows`."""
        names = check_columns(columns)
        low, high = to_range(start, end)
        step = to_width(width)
        window_count(low, high, step)
        return self._windows(names, start=low, end=high, width=step)

    def zoom(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        points: int = 1000,
        *,
        columns: Sequence[str] = DEFAULT_COLUMNS,
    ) -> Windows:
        """At most ``points`` windows that together cover ``[start, end)``, as `otrdb.Stream.zoom`. A server
        refuses more than 2**20 (`InvalidArgument`), unless the stream has fewer points.
        """
        names = check_columns(columns)
        zoom_pointwidth(0, 1, points)  # a number of points it must be
        return self._windows(names, points=min(int(points), INT64_MAX), **_bounds(start, end))

    def nearest(self, time: TimeLike, backward: bool = False) -> Point | None:
        """The first point at or after ``time``, or with ``backward`` the last one before it; None if there is
        none.
        """
        params = wire.NearestParams(
            state=self.state(), uuid=self.uuid.bytes, time=to_instant(time), backward=bool(backward)
        )
        answer = self.link.ask("Nearest", params)
        self.lacks(left_out_of(answer.left_out))
        return Point(answer.time, decode_one(self.kind, answer.value)) if answer.HasField("time") else None

    def earliest(self) -> Point | None:
        """The first point, or None."""
        return self.nearest(MIN_TIME)

    def latest(self) -> Point | None:
        """The last point, or None."""
        return self.nearest(MAX_TIME - 1, backward=True)

    def count(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> int:
        """The number of points in ``[start, end)`` (ns)."""
        low, high = to_range(start, end)
        params = wire.RangeParams(state=self.state(), uuid=self.uuid.bytes, start=low, end=high)
        answer = self.link.ask("Count", params)
        self.lacks(left_out_of(answer.left_out))
        return int(answer.count)

    def lacks(self, left_out: tuple[LeftOut, ...]) -> None:
        """An answer lacks this."""

    def _windows(self, names: tuple[str, ...], **which: Any) -> Windows:  # noqa: ANN401
        params = wire.WindowsParams(state=self.state(), uuid=self.uuid.bytes, columns=names, **which)
        windows = windows_of(self.kind, names, self.link.each("Windows", params))
        self.lacks(windows.left_out)
        return windows


def _bounds(start: TimeLike | None, end: TimeLike | None) -> dict[str, int]:
    """The bounds of a zoom that are given."""
    if start is not None and end is not None:
        low, high = to_range(start, end)
        return {"start": low, "end": high}
    bounds = {} if start is None else {"start": to_instant(start)}
    return bounds if end is None else {"end": to_ns(end)}
