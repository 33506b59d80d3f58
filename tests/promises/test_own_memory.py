"""Nobody outside can change what an archive holds: not through the arrays it was given, not through those it
gave."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from otrdb.interface import ArchiveLike, StreamLike

FEW, MANY = 100, 20_000
"""Points that stay pending, and points that are a commit of their own."""


@pytest.fixture(params=["float", "int", "bool"])
def stream(request: pytest.FixtureRequest, archive: ArchiveLike) -> StreamLike:
    return archive.create("plant/line1", kind=request.param)


def batch(stream: StreamLike, length: int) -> tuple[Any, Any]:
    times = np.arange(length) * 1_000
    return times, (times % 7_000 != 0).astype(stream.kind.dtype)


def views(*arrays: Any) -> tuple[Any, ...]:
    """The same memory, declared read-only: no promise that it stays as it is."""
    found = tuple(array.view() for array in arrays)
    for array in found:
        array.flags.writeable = False
    return found


@pytest.mark.parametrize("length", [1, FEW, MANY])
@pytest.mark.parametrize("given", [lambda *arrays: arrays, views], ids=["arrays", "read-only views"])
def test_arrays_may_be_used_again_after_an_insert(
    stream: StreamLike, length: int, given: Callable[..., tuple[Any, ...]]
) -> None:
    times, values = batch(stream, length)
    stream.insert(*given(times, values))
    expected = times.copy(), values.copy()
    times += 5
    values[:] = 0
    stored = stream.values()
    np.testing.assert_array_equal(stored.times, expected[0])
    np.testing.assert_array_equal(stored.values, expected[1])


@pytest.mark.parametrize("length", [FEW, MANY])
def test_arrow_batches_may_go_away_while_they_are_inserted(stream: StreamLike, length: int) -> None:
    times, values = batch(stream, length)
    schema = pa.schema({"time": pa.int64(), "value": pa.array(values[:1]).type})

    def batches() -> Iterator[pa.RecordBatch]:
        # Of lists, so that nobody but Arrow owns the memory.
        yield pa.record_batch([pa.array(times.tolist()), pa.array(values.tolist())], schema=schema)

    stream.insert(pa.RecordBatchReader.from_batches(schema, batches()))
    np.testing.assert_array_equal(stream.values().times, times)
    np.testing.assert_array_equal(stream.values().values, values)


@pytest.mark.parametrize("flush", [False, True], ids=["pending", "committed"])
@pytest.mark.parametrize("length", [FEW, MANY])
def test_writing_to_an_answer_changes_no_other(stream: StreamLike, length: int, flush: bool) -> None:
    times, values = batch(stream, length)
    stream.insert(times, values)
    if flush:
        stream.flush()
    for end in (5_000, length * 1_000):
        before = answers(stream, end)
        for column in ask(stream, end):
            if column.flags.writeable:  # an archiver may hand out read-only arrays instead
                column[:] = 0
        for column, kept in zip(ask(stream, end), before, strict=True):
            np.testing.assert_array_equal(column, kept)
    np.testing.assert_array_equal(stream.values().times, times)
    np.testing.assert_array_equal(stream.values().values, values)


def ask(stream: StreamLike, end: int) -> list[Any]:
    windows = stream.windows(0, end, 1_000).to_numpy(), stream.aligned_windows(0, end, 10).to_numpy()
    return [*stream.values(0, end).to_numpy(), *windows[0].values(), *windows[1].values()]


def answers(stream: StreamLike, end: int) -> list[Any]:
    return [column.copy() for column in ask(stream, end)]
