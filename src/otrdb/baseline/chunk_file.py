"""Pieces on disk: two pcodec columns each in a file of chunks, and their statistics in the manifest."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, standalone

from otrdb.baseline.log import RecordLog
from otrdb.baseline.pieces import Piece
from otrdb.baseline.summaries import FLOAT_FIELDS, ROW_FIELDS, Rows
from otrdb.columns import decode
from otrdb.errors import InternalError
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from otrdb.baseline.merging import Columns
    from otrdb.model import Array, Int64Array

_LEVEL: Final = 4
# Naming delta order and mode for times saves pcodec its search.
_TIMES: Final = ChunkConfig(
    compression_level=_LEVEL, delta_spec=DeltaSpec.try_consecutive(1), mode_spec=ModeSpec.classic()
)
_VALUES: Final = ChunkConfig(compression_level=_LEVEL)
_TIMES_LENGTH: Final = struct.Struct("<I")

_CACHED_CHUNKS: Final = 64  # 16 MiB of ordinary ones

PIECE_WORDS: Final = 2 + len(ROW_FIELDS)
"""Words of a piece in the manifest: its record's offset, the time of its last point, and its row.

The row's key, which a piece has no use for, is the time of its first point.
"""


class ChunkFile:
    """The points of all pieces of all streams, in one file that only grows."""

    def __init__(self, path: Path) -> None:
        self._log = RecordLog(path)
        self.load = lru_cache(_CACHED_CHUNKS)(self._load)
        """Reads the points of the chunk at an offset; the last few are kept."""

    def save(self, pieces: Sequence[Piece], kind: Kind, pool: Executor) -> list[Piece]:
        """Writes pieces that are in memory, and gives them as pieces on disk; not durable before `sync`."""
        columns = [piece.columns for piece in pieces if piece.columns is not None]
        if len(columns) < len(pieces):
            raise InternalError("A piece would be written twice.")
        blobs = pool.map(lambda both: encode(both, kind), columns)
        return [
            replace(piece, offset=self._log.append(blob), columns=None)
            for piece, blob in zip(pieces, blobs, strict=True)
        ]

    def sync(self) -> None:
        """Makes everything saved durable."""
        self._log.sync()

    def close(self) -> None:
        """Lets go of the file."""
        self._log.release()

    def _load(self, offset: int, kind: Kind) -> Columns:
        return decode_chunk(self._log.read(offset), kind)


def encode(columns: Columns, kind: Kind) -> bytes:
    """Points as a chunk: the length of the coded times, the times, the values."""
    times = standalone.simple_compress(columns[0], _TIMES)
    values = decode(kind, columns[1])
    coded = (
        np.packbits(values).tobytes() if kind is Kind.BOOL else standalone.simple_compress(values, _VALUES)
    )
    return b"".join((_TIMES_LENGTH.pack(len(times)), times, coded))


def decode_chunk(chunk: bytes, kind: Kind) -> Columns:
    """The points of a chunk."""
    start = _TIMES_LENGTH.size
    end = start + _TIMES_LENGTH.unpack_from(chunk)[0]
    times = _decompressed(chunk[start:end])
    if kind is Kind.BOOL:
        packed = np.frombuffer(chunk, dtype=np.uint8, offset=end)
        return times, np.unpackbits(packed, count=len(times)).astype(np.int64)
    return times, _decompressed(chunk[end:]).view(np.int64)


def _decompressed(data: bytes) -> Array:
    column = standalone.simple_decompress(data)
    if column is None:
        raise InternalError("A chunk has no points.")
    return np.asarray(column)


def piece_words(piece: Piece) -> Int64Array:
    """A piece on disk as the words that stand for it in the manifest."""
    row = replace(piece.row, key=np.array([piece.first]))
    return np.concatenate([[piece.offset, piece.last], *(column.view(np.int64) for column in row.columns())])


def piece_of_words(words: Int64Array) -> Piece:
    """The piece that these words stand for."""
    columns = zip(ROW_FIELDS, words[2:].reshape(-1, 1), strict=True)
    row = Rows.of(column.view(np.float64) if name in FLOAT_FIELDS else column for name, column in columns)
    return Piece(int(words[0]), None, int(row.key[0]), int(words[1]), row)
