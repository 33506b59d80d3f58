"""Tables for people: drawn by rich on a terminal, plain columns of text elsewhere."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

from otrdb.cli.output.cells import rows

if TYPE_CHECKING:
    from otrdb.cli.output.cells import Sheet, TimeForm
    from otrdb.export import Foreign

_LEFT: Final = frozenset({"text", "uuid", "time"})
_GAP: Final = "  "


class _Collected:
    """The rows as text. A table's widths depend on all of them, so they are kept until the end."""

    def __init__(self, times: TimeForm) -> None:
        self._times = times
        self._names: list[str] = []
        self._left: list[bool] = []
        self._rows: list[list[str]] = []

    def write(self, sheet: Sheet) -> None:
        """Adds rows."""
        self._names = [column.name for column in sheet]
        self._left = [column.kind in _LEFT for column in sheet]
        self._rows += [[cell_text(cell) for cell in row] for row in rows(sheet, self._times)]


class PlainTable(_Collected):
    """Aligned columns, nothing cut off: fit for a pipe."""

    def __init__(self, stream: IO[str], times: TimeForm) -> None:
        super().__init__(times)
        self._stream = stream

    def close(self) -> None:
        """Prints the table."""
        lines = [self._names, *self._rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = zip(line, widths, self._left, strict=True)
            texts = [text.ljust(width) if left else text.rjust(width) for text, width, left in cells]
            self._stream.write(_GAP.join(texts).rstrip() + "\n")


class RichTable(_Collected):
    """A table as wide as the terminal allows."""

    def close(self) -> None:
        """Prints the table."""
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name, left in zip(self._names, self._left, strict=True):
            table.add_column(name, justify="left" if left else "right", overflow="fold")
        for row in self._rows:
            table.add_row(*row)
        Console(markup=False, highlight=False, emoji=False).print(table)


def cell_text(cell: Foreign) -> str:
    """A cell for people: floats to seven digits, "-" where there is nothing."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{cell:.7g}" if isinstance(cell, float) else str(cell)
