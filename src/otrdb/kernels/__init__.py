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
from otrdb.kernels.protobuf import decode_points, encode_points

__all__ = [
    "bisect",
    "check_points",
    "columns",
    "cut_rows",
    "decode_points",
    "encode_points",
    "fold",
    "fold_edges",
    "merge_runs",
    "summarise",
]
