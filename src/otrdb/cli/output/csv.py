"""CSV with a header line; floats with as many digits as it takes to read them back exactly."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING, Any, Final

from otrdb.cli.output.cells import rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb.cli.output.cells import Sheet, TimeForm

_WORDS: Final = {True: "true", False: "false"}


class CsvWriter:
    """Comma separated, lines ending in LF, an empty cell where there is no value."""

    def __init__(self, stream: IO[str], times: TimeForm) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._times = times
        self._begun = False

    def write(self, sheet: Sheet) -> None:
        """Adds rows, and before the first ones the header."""
        if not self._begun:
            self._writer.writerow([column.name for column in sheet])
            self._begun = True
        self._writer.writerows(self._rows(sheet))

    def close(self) -> None:
        """Nothing is left to write."""

    def _rows(self, sheet: Sheet) -> Iterator[tuple[Any, ...]]:
        if not any(column.kind == "bool" for column in sheet):
            return rows(sheet, self._times)
        return (
            tuple(_WORDS[cell] if isinstance(cell, bool) else cell for cell in row)
            for row in rows(sheet, self._times)
        )


class CsvFile(CsvWriter):
    """The same into a file of its own."""

    def __init__(self, path: Path, times: TimeForm) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        super().__init__(self._file, times)

    def close(self) -> None:
        """Completes the file."""
        self._file.close()
