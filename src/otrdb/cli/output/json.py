"""A JSON array with an object per row, written as it comes."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

from otrdb.cli.output.cells import rows

if TYPE_CHECKING:
    from otrdb.cli.output.cells import Sheet, TimeForm


class JsonWriter:
    """One row a line, so that line-based tools can use it too."""

    def __init__(self, stream: IO[str], times: TimeForm) -> None:
        self._stream = stream
        self._times = times
        self._opening = "["

    def write(self, sheet: Sheet) -> None:
        """Adds rows."""
        names = [column.name for column in sheet]
        for row in rows(sheet, self._times):
            text = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False)
            self._stream.write(f"{self._opening}\n{text}")
            self._opening = ","

    def close(self) -> None:
        """Ends the array."""
        self._stream.write("[]\n" if self._opening == "[" else "\n]\n")
