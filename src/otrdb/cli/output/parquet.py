"""Parquet files; times are timestamp[ns, UTC], exact sums decimal128."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from otrdb.errors import InvalidArgument
from otrdb.export import Column, Foreign, import_extra

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from otrdb.cli.output.cells import Sheet

_TYPES: Final = {
    "float": "float64",
    "int": "int64",
    "bool": "bool_",
    "count": "int64",
    "uuid": "string",
    "text": "string",
}
_TOTAL_DIGITS: Final = 38


class ParquetWriter:
    """Writes row groups as they come. `metadata` goes into the file's key-value metadata."""

    def __init__(self, path: Path, metadata: Mapping[str, str] | None = None) -> None:
        self._pyarrow = import_extra("pyarrow", "cli")
        self._parquet = import_extra("pyarrow.parquet", "cli")
        self._path = path
        self._metadata = dict(metadata or {})
        self._writer: Any = None

    def write(self, sheet: Sheet) -> None:
        """Adds a row group."""
        table = self._table(sheet)
        if self._writer is None:
            self._writer = self._open(table.schema)
        if len(table):
            self._writer.write_table(table)

    def close(self) -> None:
        """Completes the file."""
        if self._writer is not None:
            self._writer.close()

    def _open(self, schema: pa.Schema) -> Foreign:
        try:
            return self._parquet.ParquetWriter(self._path, schema)
        except OSError as error:
            raise InvalidArgument(f"{self._path} cannot be written: {error.strerror}.") from error

    def _table(self, sheet: Sheet) -> pa.Table:
        arrays = [_array(self._pyarrow, column) for column in sheet]
        schema = self._pyarrow.schema(
            [(column.name, array.type) for column, array in zip(sheet, arrays, strict=True)], self._metadata
        )
        table: pa.Table = self._pyarrow.Table.from_arrays(arrays, schema=schema)
        return table


def _array(pyarrow: Foreign, column: Column) -> pa.Array:
    missing = None if column.valid is None else ~column.valid
    values = np.char.decode(column.values, "ascii") if column.kind == "uuid" else column.values
    array: pa.Array = pyarrow.array(values, _type(pyarrow, column.kind), mask=missing)
    return array


def _type(pyarrow: Foreign, kind: str) -> pa.DataType:
    if kind == "time":
        return pyarrow.timestamp("ns", "UTC")
    if kind == "total":
        return pyarrow.decimal128(_TOTAL_DIGITS, 0)
    return getattr(pyarrow, _TYPES[kind])()
