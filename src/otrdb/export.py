"""Handing results to Arrow, pandas and polars, which are imported only when asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from otrdb.errors import InvalidArgument, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from otrdb.model import Array, BoolArray

UUID_TEXT_LENGTH: Final = 36

Foreign: TypeAlias = Any
"""An object of a package that may not be installed."""


class Column(NamedTuple):
    """One column of a result.

    `kind` is "time", "float", "int", "bool", "count", "total" (Python integers of up to 128 bits) or "uuid"
    (their text as bytes, all of one length). Where `valid` is False there is no value.
    """

    name: str
    kind: str
    values: Array
    valid: BoolArray | None = None


class Table:
    """A result made of columns, the first of which is the time."""

    __slots__ = ()

    def table_columns(self) -> list[Column]:
        """The columns as they are handed out, in order."""
        raise NotImplementedError

    def to_arrow(self) -> pa.Table:
        """A pyarrow Table; times are timestamp[ns, UTC]."""
        table: pa.Table = import_extra("pyarrow", "parquet").table(self)
        return table

    def to_polars(self) -> pl.DataFrame:
        """A polars DataFrame; times are Datetime("ns", "UTC")."""
        frame: pl.DataFrame = import_extra("polars", "polars").DataFrame(self)
        return frame

    def pandas_index(self) -> pd.DatetimeIndex:
        """The times as a pandas index in ns and UTC."""
        package = import_extra("pandas", "pandas")
        times = next(column.values for column in self.table_columns() if column.kind == "time")
        naive: pd.DatetimeIndex = package.DatetimeIndex(times.view("datetime64[ns]"), name="time")
        return naive.tz_localize("UTC")

    def __arrow_c_schema__(self) -> object:
        return arrow_schema(self.table_columns()).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow C stream of one batch. A requested schema is not honoured, as the protocol permits."""
        return arrow_stream(self.table_columns()).__arrow_c_stream__()


def import_extra(package: str, extra: str) -> Foreign:
    """The module `package`, or MissingExtra naming the `extra` of OtrDB that installs it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if not f"{package}.".startswith(f"{error.name}."):
            raise
        raise MissingExtra(package, extra) from None


def arrow_schema(columns: Sequence[Column]) -> Foreign:
    """The nanoarrow schema of a table of these columns."""
    nanoarrow = import_extra("nanoarrow", "arrow")
    fields = {column.name: _arrow_type(nanoarrow, column) for column in columns}
    if len(fields) < len(columns):
        raise InvalidArgument("Two columns would have one name.", advice="Join each stream once.")
    return nanoarrow.struct(fields, nullable=False)


def arrow_stream(columns: Sequence[Column]) -> Foreign:
    """The columns as a nanoarrow stream of one batch; buffers are shared with the columns where they have the
    layout."""
    nanoarrow = import_extra("nanoarrow", "arrow")
    schema = arrow_schema(columns)
    children = [_arrow_array(nanoarrow, column) for column in columns]
    batch = nanoarrow.c_array_from_buffers(schema, len(columns[0].values), [None], children=children)
    return nanoarrow.c_array_stream(batch)


def _arrow_type(nanoarrow: Foreign, column: Column) -> Foreign:
    nullable = column.valid is not None
    if column.kind == "time":
        return nanoarrow.timestamp("ns", "UTC", nullable=nullable)
    if column.kind == "total":
        return nanoarrow.decimal128(38, 0, nullable=nullable)
    names = {"float": "float64", "int": "int64", "bool": "bool_", "count": "uint64", "uuid": "string"}
    return getattr(nanoarrow, names[column.kind])(nullable=nullable)


def _arrow_array(nanoarrow: Foreign, column: Column) -> Foreign:
    missing = 0 if column.valid is None else int(len(column.valid) - np.count_nonzero(column.valid))
    validity = None if column.valid is None else _packed_bits(column.valid)
    return nanoarrow.c_array_from_buffers(
        _arrow_type(nanoarrow, column),
        len(column.values),
        [validity, *_arrow_buffers(column)],
        null_count=missing,
    )


def _arrow_buffers(column: Column) -> list[Array | bytes]:
    values = column.values
    if column.kind == "bool":
        return [_packed_bits(values)]
    if column.kind == "total":
        return [b"".join(int(total).to_bytes(16, "little", signed=True) for total in values)]
    if column.kind == "uuid":
        offsets = np.arange(len(values) + 1, dtype=np.int32) * UUID_TEXT_LENGTH
        return [offsets, np.ascontiguousarray(values).tobytes()]
    return [np.ascontiguousarray(values)]


def _packed_bits(flags: BoolArray) -> Array:
    return np.packbits(flags, bitorder="little")
