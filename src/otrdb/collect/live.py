"""How the collecting goes, as a table on a terminal that is drawn again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from otrdb.collect.figures import figure
from otrdb.collect.overview import Extent, Row, overview

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, RenderableType

    from otrdb.collect.loop import Status
    from otrdb.collect.recorder import Recorder

_FRAME: Final = 6  # lines of the screen that are no rows
_SHARE: Final = 10  # a table is drawn when this many times longer has passed than drawing the one before took
_LEAST: Final = 1.0  # s between tables
_HEADINGS: Final = (
    "stream",
    "last",
    "per s",
    "points",
    "hour: min",
    "mean",
    "max",
    "day: min",
    "mean",
    "max",
)
_CHOICES: Final = (tuple(range(10)), tuple(range(7)), (0, 1, 4, 5, 6), (0, 1, 4, 6), (0, 1))
"""Which columns are shown: the first choice that has room."""
_ANY_WIDTH: Final = 10_000


class LiveTable:
    """A context manager; call it after each round. Statistics come from the archive, for the rows that
    fit."""

    def __init__(self, recorder: Recorder, console: Console, title: str) -> None:
        self._recorder = recorder
        self._console = console
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._due = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, status: Status) -> None:
        """Draws the table, unless the last one is too fresh for what it cost."""
        begun = time.monotonic()
        if begun < self._due:
            return
        self._live.update(self._picture(status), refresh=True)
        cost = time.monotonic() - begun
        self._due = begun + max(_LEAST, cost * _SHARE)

    def _picture(self, status: Status) -> RenderableType:
        known = self._recorder.streams
        streams = [known[source] for source, _ in status.readings if source in known]
        room = max(1, self._console.height - _FRAME)
        rows = overview(streams[:room], status.time, self._recorder.collection)
        more = len(streams) - len(rows)
        notes = [f"and {more} more streams: otrdb streams"] if more > 0 else []
        drawn = self._fitting(rows)
        if len(drawn.columns) < len(_HEADINGS):
            notes.append("a wider terminal shows more columns")
        return Group(Text(self._headline(status)), drawn, Text("\n".join([*notes, *status.faults])))

    def _fitting(self, rows: list[Row]) -> Table:
        """The table with as many columns as can be read on this terminal."""
        unbounded = self._console.options.update(max_width=_ANY_WIDTH)
        for columns in _CHOICES:
            drawn = table(rows, columns)
            if self._console.measure(drawn, options=unbounded).maximum <= self._console.width:
                break
        return drawn

    def _headline(self, status: Status) -> str:
        counts = f"{self._title}: {status.rounds} rounds, {status.points} points"
        troubles = [
            f"{count} {what}"
            for count, what in (
                (status.held, "rounds held until the clock is set"),
                (status.dropped, "rounds dropped"),
                (status.lost, "rounds lost"),
                (status.missed, "rounds missed"),
            )
            if count
        ]
        return ", ".join([counts, *troubles])


def table(rows: list[Row], shown: tuple[int, ...]) -> Table:
    """The rows as a table of some of the columns."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position in shown:
        drawn.add_column(_HEADINGS[position], justify="right" if position else "left", no_wrap=True)
    for row in rows:
        cells = _cells(row)
        drawn.add_row(*(Text(cells[position]) for position in shown))
    return drawn


def _cells(row: Row) -> list[str]:
    last = None if row.last is None else row.last.value
    return [
        row.name,
        figure(last, row.unit),
        figure(row.rate, row.unit),
        str(row.points),
        *_extent_cells(row.hour, row.unit),
        *_extent_cells(row.day, row.unit),
    ]


def _extent_cells(extent: Extent | None, unit: str) -> list[str]:
    return [figure(value, unit) for value in extent or (None, None, None)]
