"""Columns of an answer as the Python values that are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from otrdb.export import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from otrdb.model import Array, Int64Array

Sheet: TypeAlias = "Sequence[Column]"
"""Columns of one length. Besides the kinds of `otrdb.export.Column` there is "text"."""

TimeForm: TypeAlias = Literal["iso", "ns"]

_Unit: TypeAlias = Literal["s", "ms", "us", "ns"]
_COARSER: Final[tuple[tuple[_Unit, int], ...]] = (("s", 10**9), ("ms", 10**6), ("us", 10**3))


def row_count(sheet: Sheet) -> int:
    """The number of rows."""
    return len(sheet[0].values)


def first_rows(sheet: Sheet, count: int) -> Sheet:
    """The first `count` rows."""
    return [
        column._replace(
            values=column.values[:count], valid=None if column.valid is None else column.valid[:count]
        )
        for column in sheet
    ]


def rows(sheet: Sheet, times: TimeForm) -> Iterator[tuple[Any, ...]]:
    """Rows of text, int, float and bool; None where there is no value."""
    return zip(*(_cells(column, times) for column in sheet), strict=True)


def sheet_of(records: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> Sheet:
    """Records as columns of the kinds given, by name. A None makes a cell without a value."""
    return [_column(name, kind, [record[name] for record in records]) for name, kind in kinds.items()]


def iso_texts(times: Int64Array) -> list[str]:
    """ISO-8601 in UTC of ns since 1970, all with as many decimals as the finest needs."""
    unit: _Unit = next((unit for unit, width in _COARSER if not (times % width).any()), "ns")
    instants: Array = times.view("datetime64[ns]")
    texts: list[str] = np.datetime_as_string(instants, unit=unit, timezone="UTC").tolist()
    return texts


def _column(name: str, kind: str, cells: list[Any]) -> Column:
    dtype = {"time": np.int64, "int": np.int64, "count": np.int64, "float": np.float64, "bool": np.bool_}.get(
        kind
    )
    valid = np.array([cell is not None for cell in cells], dtype=np.bool_)
    values: Array = np.empty(len(cells), dtype=np.object_)
    values[:] = cells if dtype is None else [0 if cell is None else cell for cell in cells]
    return Column(
        name, kind, values if dtype is None else values.astype(dtype), None if valid.all() else valid
    )


def _cells(column: Column, times: TimeForm) -> Iterable[Any]:
    cells = _plain_cells(column, times)
    if column.valid is None:
        return cells
    return [cell if valid else None for cell, valid in zip(cells, column.valid.tolist(), strict=True)]


def _plain_cells(column: Column, times: TimeForm) -> list[Any]:
    if column.kind == "time" and times == "iso":
        return iso_texts(column.values)
    if column.kind == "uuid":
        return [text.decode() for text in column.values.tolist()]
    cells: list[Any] = column.values.tolist()
    return cells
