"""How columns of 64-bit words become bytes: one byte names the codec, so that others can follow.

pcodec (https://github.com/pcodec/pcodec) does the work. A leaf's column is one pcodec chunk cut in pages that
decode on their own; the columns of a node are single chunks. Raw little-endian words are the fallback, bools
are packed bits.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pcodec.standalone
import pcodec.wrapped
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, PagingSpec

from otrdb.errors import Damaged, UnsupportedFormat
from otrdb.model import Kind

from .habit import AUTO, TELLING, Habit, Specs

if TYPE_CHECKING:
    from collections.abc import Sequence

Words = NDArray[np.int64]

Pcodec: TypeAlias = Any
"""Objects of pcodec, which has no types."""

RAW: Final = 0
PCODEC: Final = 1
BITS: Final = 2

LEVEL: Final = 4
"""pcodec's level: at most 3 % larger than level 8 on sensor data and up to 5.8 times faster."""

RAW_BELOW: Final = 24
"""Columns shorter than this are stored raw: pcodec's own metadata would outweigh what it saves."""

BATCH: Final = 256
"""A page may be decoded up to a multiple of so many points (pcodec's batch)."""

_COMPRESSOR = pcodec.wrapped.FileCompressor()
_HEADER: Final = bytes(_COMPRESSOR.write_header())
HEADER_BYTES: Final = len(_HEADER)
_INTEGERS: Final[np.dtype[Any]] = np.dtype("<i8")
_DTYPES: Final = {Kind.FLOAT: ("f64", np.dtype("<f8")), Kind.INT: ("i64", _INTEGERS)}
_TIMES: Final = Specs(ModeSpec.classic(), DeltaSpec.try_consecutive(1))
"""Naming the delta order saves pcodec its search for one."""
_NODE_CONFIG = ChunkConfig(compression_level=LEVEL, delta_spec=DeltaSpec.no_op())


class EncodedColumn(NamedTuple):
    """One column of a leaf: the codec, what all pages share, and the bytes of each page."""

    codec: int
    meta: bytes
    pages: list[bytes]

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return len(self.meta) + sum(map(len, self.pages))


def _config(counts: Sequence[int], specs: Specs) -> ChunkConfig:
    return ChunkConfig(LEVEL, *specs, PagingSpec.exact_page_sizes(list(counts)))


def encode_times(times: Words, counts: Sequence[int]) -> EncodedColumn:
    """A leaf's times in pages of ``counts`` points."""
    if len(times) < RAW_BELOW:
        return _raw_pages(times, counts)
    return _pcodec_pages(times, counts, _TIMES)


def encode_values(
    kind: Kind, words: Words, counts: Sequence[int], habit: Habit | None = None
) -> EncodedColumn:
    """A leaf's values in pages of ``counts`` points; with a ``habit`` pcodec need not search each time."""
    if kind is Kind.BOOL:
        return _bit_pages(words, counts)
    if len(words) < RAW_BELOW:
        return _raw_pages(words, counts)
    column = words.view(_DTYPES[kind][1])
    if habit is None or len(words) < TELLING:
        return _pcodec_pages(column, counts, AUTO)
    specs = habit.specs()
    encoded = _pcodec_pages(column, counts, specs)
    if specs is not AUTO:
        if habit.fits(encoded.size / len(words)):
            return encoded
        encoded = _pcodec_pages(column, counts, AUTO)
    habit.learn(encoded.meta[HEADER_BYTES:], encoded.size / len(words))
    return encoded


def _cuts(counts: Sequence[int]) -> list[tuple[int, int]]:
    return list(pairwise(accumulate(counts, initial=0)))


def _raw_pages(words: Words, counts: Sequence[int]) -> EncodedColumn:
    raw = words.astype("<i8", copy=False)
    return EncodedColumn(RAW, b"", [raw[low:high].tobytes() for low, high in _cuts(counts)])


def _bit_pages(words: Words, counts: Sequence[int]) -> EncodedColumn:
    bits = words.astype(np.uint8)
    return EncodedColumn(BITS, b"", [np.packbits(bits[low:high]).tobytes() for low, high in _cuts(counts)])


def _pcodec_pages(column: NDArray[Any], counts: Sequence[int], specs: Specs) -> EncodedColumn:
    chunk = _COMPRESSOR.chunk_compressor(np.ascontiguousarray(column), _config(counts, specs))
    pages = [bytes(chunk.write_page(index)) for index in range(len(counts))]
    encoded = EncodedColumn(PCODEC, _HEADER + bytes(chunk.write_meta()), pages)
    if encoded.size >= 8 * len(column):
        return _raw_pages(column.view(np.int64), counts)
    return encoded


class ColumnDecoder:
    """Decodes pages of one column into int64 words. Safe for many threads.

    pcodec's decompressor is made for each call, in 2 us: it changes while it decodes, and then holds 13 kB.
    """

    __slots__ = ("_codec", "_decode", "_dtype", "_meta", "_name")

    def __init__(self, codec: int, meta: bytes, kind: Kind) -> None:
        if codec >= len(_DECODERS):
            raise UnsupportedFormat(f"A block names codec {codec}, which this version does not know.")
        self._codec = codec
        self._meta = meta
        self._name, self._dtype = _DTYPES[kind] if codec == PCODEC else ("", _INTEGERS)
        self._decode = _DECODERS[codec]

    def read(self, page: bytes, count: int) -> Words:
        """The ``count`` words of ``page``."""
        out = np.empty(count, self._dtype)
        self._decode(self._chunk(), page, count, out)
        return out if self._dtype is _INTEGERS else out.view(np.int64)

    def read_part(self, pages: Sequence[bytes], counts: Sequence[int], first: int, end: int) -> Words:
        """Words ``[first, end)`` of pages of ``counts`` points; the last page is decoded no further than it
        must.
        """
        before = sum(counts[:-1])
        wanted = before + min(counts[-1], -(-(end - before) // BATCH) * BATCH)
        out = np.empty(wanted, np.int64)
        self.read_all(pages, counts, out)
        return out[first:end].copy()

    def read_all(self, pages: Sequence[bytes], counts: Sequence[int], out: Words) -> None:
        """Decode pages of ``counts`` points, one after the other, into ``out``.

        That may end within the last page, after a multiple of `BATCH` points of it.
        """
        decode, chunk, typed = self._decode, self._chunk(), out.view(self._dtype)
        at = 0
        for page, count in zip(pages, counts, strict=True):
            decode(chunk, page, count, typed[at : at + count])
            at += count

    def _chunk(self) -> Pcodec:
        return _chunk_decompressor(self._meta, self._name) if self._codec == PCODEC else None


def _read_pcodec(chunk: Pcodec, page: bytes, count: int, out: NDArray[Any]) -> None:
    try:
        used = chunk.read_page_into(page, count, out)[1]
    except (RuntimeError, TypeError) as error:
        raise Damaged(f"pcodec cannot decode a page: {error}.") from error
    if used != len(page) and len(out) == count:
        raise _wrong_length()


def _read_raw(_: Pcodec, page: bytes, count: int, out: NDArray[Any]) -> None:
    if len(page) != 8 * count:
        raise _wrong_length()
    out[:] = np.frombuffer(page, "<i8", len(out))


def _read_bits(_: Pcodec, page: bytes, count: int, out: NDArray[Any]) -> None:
    if len(page) != (count + 7) // 8:
        raise _wrong_length()
    out[:] = np.unpackbits(np.frombuffer(page, dtype=np.uint8), count=len(out))


def _wrong_length() -> Damaged:
    return Damaged("A page does not have the length its codec gives it.")


_DECODERS: Final = (_read_raw, _read_pcodec, _read_bits)
"""By codec: decode the first points of one page, as many as the output has room for."""


def _chunk_decompressor(meta: bytes, dtype: str) -> Pcodec:
    try:
        file = _file_decompressor(meta[:HEADER_BYTES])
        return file.chunk_decompressor(meta[HEADER_BYTES:], dtype)[0]
    except (RuntimeError, TypeError) as error:
        raise Damaged(f"pcodec cannot decode a block: {error}.") from error


@lru_cache(maxsize=4)
def _file_decompressor(header: bytes) -> Pcodec:
    return pcodec.wrapped.FileDecompressor.new(header)[0]


def encode_node_column(words: Words, *, floats: bool) -> bytes:
    """A column of a node as one pcodec chunk."""
    column = np.ascontiguousarray(words)
    typed = column.view(np.float64) if floats else column
    return bytes(pcodec.standalone.simple_compress(typed, _NODE_CONFIG))


def decode_node_column(data: bytes, count: int, *, floats: bool) -> Words:
    """The inverse of `encode_node_column`: ``count`` words."""
    out = np.empty(count, np.float64 if floats else np.int64)
    try:
        progress = pcodec.standalone.simple_decompress_into(data, out)
    except (RuntimeError, TypeError) as error:
        raise Damaged(f"pcodec cannot decode a block: {error}.") from error
    if progress.n_processed != count or not progress.finished:
        raise Damaged("A column of a node does not have the length its head gives it.")
    return out.view(np.int64)
