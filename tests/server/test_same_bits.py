"""The same points and windows, bit for bit, by protobuf, by Arrow, and from the library itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import otrdb
from otrdb.model import MAX_TIME, MIN_TIME

STATISTICS = ("min", "mean", "max", "count", "stddev")


@pytest.fixture(params=["committed", "pending", "both"])
def stream(request: pytest.FixtureRequest, archive: otrdb.Archive) -> otrdb.Stream:
    """Values of every magnitude, with holes and duplicates."""
    rng = np.random.default_rng(7)
    size = 12_000
    times = np.cumsum(rng.integers(0, 1 << 24, size)) + np.repeat([0, 1 << 40, 1 << 55], size // 3)
    values = rng.normal(size=size) * 10.0 ** rng.integers(-300, 300, size)
    stream = archive.create("plant")
    halves = [slice(0, size // 2), slice(size // 2, size)] if request.param == "both" else [slice(0, size)]
    for half in halves:
        stream.insert(times[half], values[half])
        if request.param == "committed" or (len(halves) == 2 and not half.start):
            stream.flush()
    return stream


def bits(columns: Any) -> list[bytes]:
    return [np.ascontiguousarray(column).tobytes() for column in columns]


def arrow_bits(table: pa.Table) -> list[bytes]:
    return bits(
        [table.column(0).cast(pa.int64()).to_numpy(), *(column.to_numpy() for column in table.columns[1:])]
    )


def window_bits(found: Any) -> list[bytes]:
    windows = [window for window, _ in found]
    columns = [np.array([getattr(window, name) for window in windows], np.float64) for name in STATISTICS]
    columns[3] = columns[3].astype(np.uint64)
    return bits([np.array([window.time for window in windows], np.int64), *columns])


def test_points(stream: otrdb.Stream, remote: Any) -> None:
    expected = bits(stream.values().to_numpy())
    points = [point for point, _ in remote.values(MIN_TIME, MAX_TIME - 1)]
    by_protobuf = np.array([point.time for point in points]), np.array([point.value for point in points])
    assert bits(by_protobuf) == expected
    assert arrow_bits(remote.arrow_values(MIN_TIME, MAX_TIME - 1)) == expected


@pytest.mark.parametrize("pointwidth", [20, 24, 30, 37, 44, 56, 62])
def test_aligned_windows(stream: otrdb.Stream, remote: Any, pointwidth: int) -> None:
    windows = stream.aligned_windows(MIN_TIME, MAX_TIME, pointwidth)
    expected = bits([windows.time, *(windows[name] for name in STATISTICS)])
    assert window_bits(remote.aligned_windows(MIN_TIME, MAX_TIME, pointwidth)) == expected
    assert arrow_bits(remote.arrow_aligned_windows(MIN_TIME, MAX_TIME, pointwidth)) == expected


@pytest.mark.parametrize("width", [2_000_003, (1 << 26) + 7, 3_600_000_000_000])
def test_windows(stream: otrdb.Stream, remote: Any, width: int) -> None:
    """Also where the answer is made in parts, of the narrowest width."""
    start, end = -5, (1 << 40) + (1 << 36)
    windows = stream.windows(start, end, width)
    expected = bits([windows.time, *(windows[name] for name in STATISTICS)])
    found = remote.arrow_windows(start, end, width)
    assert arrow_bits(found) == expected
    if found.num_rows < 20_000:
        assert window_bits(remote.windows(start, end, width)) == expected


def test_a_reader_of_the_same_directory(stream: otrdb.Stream, remote: Any, tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "archive.otr", mode="r") as reader:
        same = reader.stream(stream.uuid)
        assert arrow_bits(remote.arrow_values(MIN_TIME, MAX_TIME - 1)) == bits(same.values().to_numpy())
        windows = same.aligned_windows(MIN_TIME, MAX_TIME, 30)
        expected = bits([windows.time, *(windows[name] for name in STATISTICS)])
        assert arrow_bits(remote.arrow_aligned_windows(MIN_TIME, MAX_TIME, 30)) == expected


def test_nearest_points(stream: otrdb.Stream, remote: Any) -> None:
    times = stream.values().times
    for time in times[:: len(times) // 40].tolist():
        for at, backward in ((time, False), (time + 1, True), (time, True)):
            expected = stream.nearest(at, backward)
            found = remote.nearest(at, 0, backward)
            assert (found and (found[0].time, found[0].value)) == expected
