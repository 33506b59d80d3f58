"""How columns of 64-bit words become bytes: one byte names the codec, so that others can follow.

pcodec (https://github.com/pcodec/pcodec) does the work. A leaf's column is one pcodec chunk cut in pages that
decode on their own; the columns of a node are single chunks. Raw little-endian words are the fallback, bools
are packed bits.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pcodec.standalone
import pcodec.wrapped
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, PagingSpec

from otrdb.errors import Damaged, UnsupportedFormat
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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

_COMPRESSOR = pcodec.wrapped.FileCompressor()
_HEADER: Final = bytes(_COMPRESSOR.write_header())
HEADER_BYTES: Final = len(_HEADER)
_DTYPES: Final = {Kind.FLOAT: ("f64", np.dtype("<f8")), Kind.INT: ("i64", np.dtype("<i8"))}
_NODE_CONFIG = ChunkConfig(compression_level=LEVEL, delta_spec=DeltaSpec.no_op())


class EncodedColumn(NamedTuple):
    """One column of a leaf: the codec, what all pages share, and the bytes of each page."""

    codec: int
    meta: bytes
    pages: list[bytes]


@lru_cache(maxsize=512)
def _config(counts: tuple[int, ...], times: bool) -> ChunkConfig:
    paging = PagingSpec.exact_page_sizes(list(counts))
    if times:
        # Naming the delta order saves pcodec its search for one.
        return ChunkConfig(LEVEL, ModeSpec.classic(), DeltaSpec.try_consecutive(1), paging)
    return ChunkConfig(LEVEL, ModeSpec.auto(), DeltaSpec.auto(), paging)


def encode_times(times: Words, counts: Sequence[int]) -> EncodedColumn:
    """A leaf's times in pages of ``counts`` points."""
    if len(times) < RAW_BELOW:
        return _raw_pages(times, counts)
    return _pcodec_pages(times, counts, times=True)


def encode_values(kind: Kind, words: Words, counts: Sequence[int]) -> EncodedColumn:
    """A leaf's values in pages of ``counts`` points."""
    if kind is Kind.BOOL:
        return _bit_pages(words, counts)
    if len(words) < RAW_BELOW:
        return _raw_pages(words, counts)
    return _pcodec_pages(words.view(_DTYPES[kind][1]), counts, times=False)


def _cuts(counts: Sequence[int]) -> list[tuple[int, int]]:
    ends = np.cumsum(counts).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _raw_pages(words: Words, counts: Sequence[int]) -> EncodedColumn:
    raw = words.astype("<i8", copy=False)
    return EncodedColumn(RAW, b"", [raw[low:high].tobytes() for low, high in _cuts(counts)])


def _bit_pages(words: Words, counts: Sequence[int]) -> EncodedColumn:
    bits = words.astype(np.uint8)
    return EncodedColumn(BITS, b"", [np.packbits(bits[low:high]).tobytes() for low, high in _cuts(counts)])


def _pcodec_pages(column: NDArray[Any], counts: Sequence[int], *, times: bool) -> EncodedColumn:
    chunk = _COMPRESSOR.chunk_compressor(np.ascontiguousarray(column), _config(tuple(counts), times))
    pages = [bytes(chunk.write_page(index)) for index in range(len(counts))]
    encoded = EncodedColumn(PCODEC, _HEADER + bytes(chunk.write_meta()), pages)
    if len(encoded.meta) + sum(map(len, pages)) >= 8 * len(column):
        return _raw_pages(column.view(np.int64), counts)
    return encoded


class ColumnDecoder:
    """Decodes pages of one column into int64 words. Safe for many threads."""

    __slots__ = ("_chunk", "_codec", "_dtype", "_lock")

    def __init__(self, codec: int, meta: bytes, kind: Kind) -> None:
        self._codec = codec
        self._chunk: Pcodec = None
        # A decompressor changes while it decodes, and lets other threads run meanwhile.
        self._lock = Lock()
        self._dtype: np.dtype[Any] = np.dtype("<i8")
        if codec == PCODEC:
            name, self._dtype = _DTYPES[kind]
            self._chunk = _chunk_decompressor(meta, name)
        elif codec >= len(self._decoders):
            raise UnsupportedFormat(f"A block names codec {codec}, which this version does not know.")

    def read(self, page: bytes, out: Words) -> None:
        """Decode ``page``, which holds ``len(out)`` points, into ``out``."""
        self.read_all([page], [len(out)], out)

    def read_all(self, pages: Iterable[bytes], counts: Iterable[int], out: Words) -> None:
        """Decode pages of ``counts`` points, one after the other, into ``out``."""
        decode = self._decoders[self._codec]
        typed = out.view(self._dtype)
        at = 0
        for page, count in zip(pages, counts, strict=True):
            if decode(self, page, count, typed[at : at + count]) != len(page):
                raise Damaged("A page does not have the length its codec gives it.")
            at += count

    def _read_pcodec(self, page: bytes, count: int, out: NDArray[Any]) -> int:
        try:
            with self._lock:
                return self._chunk.read_page_into(page, count, out)[1]  # type: ignore[no-any-return]
        except (RuntimeError, TypeError) as error:
            raise Damaged(f"pcodec cannot decode a page: {error}.") from error

    def _read_raw(self, page: bytes, count: int, out: NDArray[Any]) -> int:
        if len(page) == 8 * count:
            out[:] = np.frombuffer(page, dtype="<i8")
        return 8 * count

    def _read_bits(self, page: bytes, count: int, out: NDArray[Any]) -> int:
        out[:] = np.unpackbits(np.frombuffer(page, dtype=np.uint8), count=count)
        return (count + 7) // 8

    _decoders = (_read_raw, _read_pcodec, _read_bits)
    """By codec: decode one page and return how many bytes it should have."""


def _chunk_decompressor(meta: bytes, dtype: str) -> Pcodec:
    chunk, _ = _guard(_file_decompressor(meta[:HEADER_BYTES]).chunk_decompressor, meta[HEADER_BYTES:], dtype)
    return chunk


@lru_cache(maxsize=4)
def _file_decompressor(header: bytes) -> Pcodec:
    file, _ = _guard(pcodec.wrapped.FileDecompressor.new, header)
    return file


def _guard(function: Callable[..., Pcodec], *arguments: object) -> Pcodec:
    try:
        return function(*arguments)
    except (RuntimeError, TypeError) as error:
        raise Damaged(f"pcodec cannot decode a block: {error}.") from error


def encode_node_column(words: Words, *, floats: bool) -> bytes:
    """A column of a node as one pcodec chunk."""
    column = np.ascontiguousarray(words)
    typed = column.view(np.float64) if floats else column
    return bytes(pcodec.standalone.simple_compress(typed, _NODE_CONFIG))


def decode_node_column(data: bytes, count: int, *, floats: bool) -> Words:
    """The inverse of `encode_node_column`: ``count`` words."""
    out = np.empty(count, np.float64 if floats else np.int64)
    progress = _guard(pcodec.standalone.simple_decompress_into, data, out)
    if progress.n_processed != count or not progress.finished:
        raise Damaged("A column of a node does not have the length its head gives it.")
    return out.view(np.int64)
