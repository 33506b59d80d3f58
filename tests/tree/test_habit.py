"""Habits: leaves coded as the one before was found to be are the same points, and hardly larger."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, PagingSpec
from pcodec.wrapped import FileCompressor

from otrdb.model import Kind
from otrdb.tree.codec import HEADER_BYTES, LEVEL, RAW, ColumnDecoder, EncodedColumn, encode_values
from otrdb.tree.geometry import page_counts
from otrdb.tree.habit import AUTO, Habit, found

COUNT = 4_096
Column = NDArray[np.float64] | NDArray[np.int64]
Series = Callable[[np.random.Generator], Column]


def _decimals(random: np.random.Generator) -> NDArray[np.float64]:
    return np.round(100 * np.sin(np.arange(COUNT) / 950) + random.normal(size=COUNT), 3)


def _walk(random: np.random.Generator) -> NDArray[np.float64]:
    return np.cumsum(random.normal(size=COUNT))


def _single_precision(random: np.random.Generator) -> NDArray[np.float64]:
    return random.normal(size=COUNT).astype(np.float32).astype(np.float64)


def _multiples(random: np.random.Generator) -> NDArray[np.int64]:
    return 1_000 * random.integers(-(2**40), 2**40, COUNT)


def _counter(random: np.random.Generator) -> NDArray[np.int64]:
    return np.cumsum(random.integers(0, 9, COUNT))


def _few(random: np.random.Generator) -> NDArray[np.float64]:
    return random.choice(random.normal(size=5), COUNT)


def _steps(random: np.random.Generator) -> NDArray[np.float64]:
    return np.repeat(random.normal(size=COUNT // 64), 64)


SERIES: list[Series] = [_decimals, _walk, _single_precision, _multiples, _counter, _few, _steps]


def _encode(column: Column, habit: Habit | None) -> EncodedColumn:
    kind = Kind.FLOAT if column.dtype == np.float64 else Kind.INT
    counts = page_counts(len(column))
    encoded = encode_values(kind, column.view(np.int64), counts, habit)
    out = np.empty(len(column), np.int64)
    ColumnDecoder(encoded.codec, encoded.meta, kind).read_all(encoded.pages, counts, out)
    np.testing.assert_array_equal(out, column.view(np.int64))
    return encoded


@pytest.mark.parametrize("series", SERIES)
def test_a_habit_codes_the_next_leaves_as_a_search_would(series: Series) -> None:
    random, habit = np.random.default_rng(1), Habit()
    for _ in range(20):
        column = series(random)
        assert _encode(column, habit).size <= 1.05 * _encode(column, None).size


@given(
    st.lists(st.sampled_from([_decimals, _walk, _single_precision, _steps]), max_size=6), st.integers(0, 99)
)
def test_a_stream_that_changes_its_nature_keeps_its_bits(kinds: list[Series], seed: int) -> None:
    random, habit = np.random.default_rng(seed), Habit()
    for series in kinds:
        for _ in range(2):
            _encode(series(random), habit)


def test_values_that_a_habit_does_not_suit_are_searched() -> None:
    random, habit = np.random.default_rng(2), Habit()
    _encode(_decimals(random), habit)
    walk = _walk(random)
    assert _encode(walk, habit).size == _encode(walk, None).size


@pytest.mark.parametrize("few", [24, 60, 150])
@pytest.mark.parametrize("series", SERIES)
def test_a_few_points_do_not_tell_how_to_code_many(series: Series, few: int) -> None:
    random, habit = np.random.default_rng(6), Habit()
    _encode(series(random)[:few], habit)
    column = series(random)
    assert _encode(column, habit).size == _encode(column, None).size


def _noise(random: np.random.Generator) -> NDArray[np.float64]:
    """All bits of the fractions are random: stored raw."""
    words = random.integers(-(2**63), 2**63, COUNT)
    return np.where(words >> 52 & 0x7FF == 0x7FF, 0, words).view(np.float64)


@pytest.mark.parametrize("series", [_decimals, _single_precision, _few, _steps])
def test_a_leaf_stored_raw_tells_nothing(series: Series) -> None:
    random, habit = np.random.default_rng(7), Habit()
    assert _encode(_noise(random), habit).codec == RAW
    column = series(random)
    assert _encode(column, habit).size == _encode(column, None).size


MODES: dict[str, tuple[ModeSpec, Series]] = {
    "classic": (ModeSpec.classic(), _walk),
    "int mult": (ModeSpec.try_int_mult(1_000), _multiples),
    "float mult": (ModeSpec.try_float_mult(0.001), _decimals),
    "float quant": (ModeSpec.try_float_quant(29), _single_precision),
}
DELTAS = {
    "none": DeltaSpec.no_op(),
    "first": DeltaSpec.try_consecutive(1),
    "third": DeltaSpec.try_consecutive(3),
}


def _chunk(column: Column, mode: ModeSpec, delta: DeltaSpec) -> tuple[bytes, bytes]:
    config = ChunkConfig(LEVEL, mode, delta, PagingSpec.exact_page_sizes([COUNT]))
    chunk = FileCompressor().chunk_compressor(column, config)
    return bytes(chunk.write_meta()), bytes(chunk.write_page(0))


@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("mode", MODES)
def test_what_metadata_tells_of_makes_the_same_bytes(mode: str, delta: str) -> None:
    spec, series = MODES[mode]
    column = series(np.random.default_rng(3))
    meta, page = _chunk(column, spec, DELTAS[delta])
    assert found(meta) is not AUTO
    assert _chunk(column, *found(meta)) == (meta, page)


def test_what_cannot_be_named_is_searched_again() -> None:
    column = np.tile(np.random.default_rng(4).normal(size=COUNT // 8), 8)
    meta, _ = _chunk(column, ModeSpec.classic(), DeltaSpec.try_lookback())
    assert found(meta) is AUTO


def test_metadata_begins_behind_the_header_of_the_file() -> None:
    encoded = _encode(_decimals(np.random.default_rng(5)), None)
    assert found(encoded.meta[HEADER_BYTES:]) is not AUTO
