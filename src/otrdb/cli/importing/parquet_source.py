"""Parquet files, ours and others'."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from otrdb.cli.importing.batches import Batch, check_names
from otrdb.cli.importing.origins import ORIGINS_KEY, Origin, parse_origins
from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_ROWS: Final = 65_536


@dataclass(slots=True)
class ParquetSource:
    """A Parquet file. The row of a value is counted from 1."""

    path: Path
    row_word: str = "row"
    names: list[str] = field(init=False)
    size: int = field(init=False)
    _file: parquet.ParquetFile = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._file = parquet.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise self._unreadable(error) from error
        self.names = check_names(self.path, self._file.schema_arrow.names, "Rename one of them.")
        self.size = self._file.metadata.num_rows

    @property
    def notes(self) -> dict[str, str]:
        """Nothing had to be found out."""
        return {}

    @property
    def origins(self) -> Mapping[str, Origin]:
        """What `otrdb export` wrote about its columns."""
        text = (self._file.schema_arrow.metadata or {}).get(ORIGINS_KEY.encode())
        return {} if text is None else parse_origins(self.path, text)

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """The types in the file's schema."""
        return dict(zip(self.names, self._file.schema_arrow.types, strict=True))

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, with these columns in the types they have."""
        schema_names = self._file.schema_arrow.names
        stored = [schema_names[self.names.index(name)] for name in columns]
        first = 1
        try:
            for rows in self._file.iter_batches(_ROWS, columns=stored):
                lines = np.arange(first, first + len(rows), dtype=np.int64)
                cells = {name: rows.column(place) for name, place in zip(columns, stored, strict=True)}
                yield Batch(cells, lines, (), len(rows))
                first += len(rows)
        except (pa.ArrowInvalid, OSError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InvalidArgument:
        return InvalidArgument(f"{self.path} cannot be read: {error}.")
