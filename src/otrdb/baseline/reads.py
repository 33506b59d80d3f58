"""The questions of the public interface, answered from any state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.baseline.summaries import columns as statistics
from otrdb.baseline.summaries import spread
from otrdb.columns import decode, decode_one
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import (
    align_down,
    align_up,
    check_pointwidth,
    to_instant,
    to_range,
    window_count,
    zoom_pointwidth,
)
from otrdb.results import DEFAULT_COLUMNS, Point, Points, Windows, check_columns
from otrdb.times import to_ns, to_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.baseline.states import Spot, State
    from otrdb.model import Kind
    from otrdb.times import TimeLike, WidthLike


class Reads:
    """`otrdb.interface.ReadsLike`, from whatever `_state` gives."""

    __slots__ = ()

    @property
    def kind(self) -> Kind:
        """What the values are."""
        raise NotImplementedError

    def _state(self) -> State:
        raise NotImplementedError

    def values(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> Points:
        """The points in [start, end), ascending, equal times in order of arrival."""
        first, last = to_range(start, end)
        state = self._state()
        times, words = state.columns(first, last)
        return Points(times, decode(self.kind, words), self.kind, state.version)

    def aligned_windows(
        self, start: TimeLike, end: TimeLike, pointwidth: int, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of the aligned windows of 2**pointwidth ns that hold points."""
        shift = check_pointwidth(pointwidth)
        first, last = (align_down(time, shift) for time in to_range(start, end))
        names = check_columns(columns)
        state = self._state()
        rows = state.rows(first, last, lambda times: (times - MIN_TIME) >> shift)
        times = MIN_TIME + (rows.key << shift)
        return Windows(times, statistics(rows, self.kind, names), self.kind, 1 << shift, state.version)

    def windows(
        self, start: TimeLike, end: TimeLike, width: WidthLike, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of every whole window of `width` ns from `start` on, empty ones too."""
        first, last = to_range(start, end)
        step = to_width(width)
        names = check_columns(columns)
        number = window_count(first, last, step)
        state = self._state()
        stride = min(step, last - first)  # the step, unless it is too long for a single window
        rows = spread(
            state.rows(first, first + number * stride, lambda times: (times - first) // stride), number
        )
        return Windows(
            first + rows.key * stride, statistics(rows, self.kind, names), self.kind, step, state.version
        )

    def zoom(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        points: int = 1000,
        *,
        columns: Sequence[str] = DEFAULT_COLUMNS,
    ) -> Windows:
        """At most `points` aligned windows that cover [start, end), or all there is."""
        first, last = to_range(*self._bounds(start, end))
        shift = zoom_pointwidth(first, last, points)
        return self.aligned_windows(first, align_up(last, shift), shift, columns=columns)

    def nearest(self, time: TimeLike, backward: bool = False) -> Point | None:
        """The first point at or after `time`, or with `backward` the last one before it."""
        instant = to_instant(time)
        state = self._state()
        return self._point(state.before(instant) if backward else state.at_or_after(instant))

    def earliest(self) -> Point | None:
        """The first point, or None."""
        return self._point(self._state().at_or_after(MIN_TIME))

    def latest(self) -> Point | None:
        """The last point, or None."""
        return self._point(self._state().before(MAX_TIME))

    def count(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> int:
        """The number of points in [start, end)."""
        return self._state().count(*to_range(start, end))

    def _point(self, spot: Spot | None) -> Point | None:
        return None if spot is None else Point(spot.time, decode_one(self.kind, spot.word))

    def _bounds(self, start: TimeLike | None, end: TimeLike | None) -> tuple[TimeLike, TimeLike]:
        """The range asked for; a side left open reaches as far as the points do."""
        if start is not None and end is not None:
            return start, end
        state = self._state()
        earliest, latest = state.at_or_after(MIN_TIME), state.before(MAX_TIME)
        if earliest is None or latest is None:
            return MIN_TIME if start is None else start, MAX_TIME if end is None else end
        if start is not None:
            return start, max(latest.time + 1, to_ns(start) + 1)
        return (earliest.time, latest.time + 1) if end is None else (min(earliest.time, to_ns(end) - 1), end)
