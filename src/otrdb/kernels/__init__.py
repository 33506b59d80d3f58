"""Compiled inner loops over points and summary rows; they know arrays only."""

from otrdb.kernels.compiled import (
    bisect,
    check_points,
    columns,
    cut_rows,
    fold,
    fold_edges,
    merge_runs,
    summarise,
)

__all__ = [
    "bisect",
    "check_points",
    "columns",
    "cut_rows",
    "fold",
    "fold_edges",
    "merge_runs",
    "summarise",
]
