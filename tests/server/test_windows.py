"""AlignedWindows and Windows, as BTrDB's own client sees them."""

from typing import Any

import numpy as np
import pytest
from btrdb import exceptions

import otrdb
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME
from otrdb.server.pieces import WINDOWS

from .calls import raw

T0 = 1_500_000_000_000_000_000
TENTH = 100_000_000


@pytest.fixture
def stream(archive: otrdb.Archive) -> otrdb.Stream:
    """Ten points, 100 ms apart, of the values 1 to 10."""
    stream = archive.create("plant", tags={"name": "heat"})
    stream.insert(T0 + np.arange(10) * TENTH, np.arange(1.0, 11.0))
    return stream


def rows(windows: Any) -> list[tuple[Any, ...]]:
    return [(w.time, w.min, w.mean, w.max, w.count, w.stddev) for w, _ in windows]


def test_aligned_windows_of_btrdbs_own_documentation(remote: Any) -> None:
    third = 0.816496580927726
    assert rows(remote.aligned_windows(T0, T0 + 10 * TENTH, 28)) == [
        (1499999999814008832, 1, 1, 1, 1, 0),
        (1500000000082444288, 2, 3, 4, 3, third),
        (1500000000350879744, 5, 6, 7, 3, third),
        (1500000000619315200, 8, 8.5, 9, 2, 0.5),
    ]


def test_windows_of_btrdbs_own_documentation(remote: Any) -> None:
    assert [row[1:5] for row in rows(remote.windows(T0, T0 + 10 * TENTH, 3 * TENTH))] == [
        (1, 2, 3, 3),
        (4, 5, 6, 3),
        (7, 8, 9, 3),
    ]


def test_windows_without_points_are_there_and_aligned_ones_are_not(
    archive: otrdb.Archive, client: Any
) -> None:
    """Holes at the start, in the middle, at the end."""
    stream = archive.create("holes")
    stream.insert([20, 21, 50], [1.0, 3.0, 5.0])
    remote = client.stream_from_uuid(stream.uuid)
    assert [(row[0], row[4]) for row in rows(remote.windows(0, 80, 10))] == [
        (0, 0), (10, 0), (20, 2), (30, 0), (40, 0), (50, 1), (60, 0), (70, 0),
    ]  # fmt: skip
    assert {row[1:] for row in rows(remote.windows(0, 80, 10)) if not row[4]} == {(0, 0, 0, 0, 0)}
    assert [(row[0], row[4]) for row in rows(remote.aligned_windows(0, 80, 3))] == [(16, 2), (48, 1)]
    empty = client.stream_from_uuid(archive.create("empty").uuid)
    assert [row[4] for row in rows(empty.windows(0, 3, 1))] == [0, 0, 0]
    assert rows(empty.aligned_windows(0, 3, 0)) == []


def test_the_edges_of_aligned_windows(remote: Any, stream: otrdb.Stream) -> None:
    """The window that holds the start is whole; the one that holds the end is left out."""
    low = T0 >> 28 << 28
    width = 1 << 28
    assert [row[0] for row in rows(remote.aligned_windows(T0 + 5, low + 2 * width, 28))] == [low, low + width]
    assert [row[0] for row in rows(remote.aligned_windows(T0 + 5, low + 2 * width - 1, 28))] == [low]
    assert rows(remote.aligned_windows(T0, T0 + 5, 28)) == []
    assert [row[4] for row in rows(remote.aligned_windows(T0, T0 + 1, 0))] == [1]


@pytest.mark.parametrize("pointwidth", range(63))
def test_every_pointwidth(archive: otrdb.Archive, client: Any, pointwidth: int) -> None:
    """Each window's statistics are those of the points in it, over the whole range of time."""
    stream = archive.create("all over")
    rng = np.random.default_rng(pointwidth)
    times = np.sort(np.concatenate([rng.integers(MIN_TIME, LAST_TIME, 40), rng.integers(0, 1 << 20, 60)]))
    values = rng.normal(size=100)
    stream.insert(times, values)
    found = rows(client.stream_from_uuid(stream.uuid).aligned_windows(MIN_TIME, MAX_TIME, pointwidth))
    slots = (times - MIN_TIME) >> pointwidth
    assert [row[0] for row in found] == [MIN_TIME + (int(slot) << pointwidth) for slot in np.unique(slots)]
    for row, slot in zip(found, np.unique(slots), strict=True):
        own = values[slots == slot]
        assert (row[1], row[3], row[4]) == (own.min(), own.max(), len(own))
        assert row[2] == pytest.approx(own.mean(), abs=1e-12)
        assert row[5] == pytest.approx(own.std(), abs=1e-12)


@pytest.mark.parametrize("pointwidth", [63, 64, (1 << 32) - 1])
def test_other_pointwidths_are_refused(client: Any, stream: otrdb.Stream, pointwidth: int) -> None:
    for ask in (client.ep.alignedWindows, client.ep.arrowAlignedWindows):
        with pytest.raises(exceptions.InvalidPointWidth):
            list(ask(stream.uuid, 0, 9, pointwidth))


def test_counts_over_everything(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("edges")
    stream.insert([MIN_TIME, 0, LAST_TIME], [1.0, 2.0, 3.0])
    remote = client.stream_from_uuid(stream.uuid)
    assert remote.count(precise=True) == 3
    assert remote.count() == 2  # the client asks for windows of 2**60 ns, of which the last is not whole
    assert [row[4] for row in rows(remote.aligned_windows(MIN_TIME, MAX_TIME, 62))] == [3]
    assert rows(remote.aligned_windows(MIN_TIME, MAX_TIME - 1, 62)) == []
    assert [(row[0], row[4]) for row in rows(remote.aligned_windows(MIN_TIME, MAX_TIME, 61))] == [
        (MIN_TIME, 2),
        (1 << 60, 1),
    ]


@pytest.mark.parametrize("depth", [0, 30, 63])
def test_windows_are_exact_whatever_the_depth(remote: Any, depth: int) -> None:
    assert rows(remote.windows(T0, T0 + 10 * TENTH, 3 * TENTH, depth)) == rows(
        remote.windows(T0, T0 + 10 * TENTH, 3 * TENTH)
    )


def test_a_width_that_does_not_fit_gives_nothing(remote: Any) -> None:
    assert rows(remote.windows(T0, T0 + 5, 6)) == []
    assert rows(remote.windows(T0, T0 + 5, 1 << 63)) == []
    assert remote.arrow_windows(T0, T0 + 5, 6).num_rows == 0
    assert remote.arrow_aligned_windows(T0, T0 + 5, 40).num_rows == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"width": 0}, 415),
        ({"width": (1 << 64) - 1}, 415),
        ({"width": 1, "depth": 64}, 415),
        ({"width": 1, "end": T0}, 413),
        ({"width": 1, "start": MIN_TIME - 1}, 413),
        ({"width": 1 << 61, "end": MAX_TIME}, 413),
        ({"width": 1, "end": T0 + (1 << 40)}, 421),
    ],
)
def test_windows_that_are_refused(
    client: Any, stream: otrdb.Stream, fields: dict[str, int], code: int
) -> None:
    asked = {"uuid": stream.uuid.bytes, "start": T0, "end": T0 + 9, **fields}
    for rpc in ("Windows", "ArrowWindows"):
        (message,) = raw(client, rpc, **asked)
        assert message.stat.code == code


@pytest.mark.parametrize(("start", "end"), [(T0, T0), (T0 + 1, T0), (MIN_TIME - 1, T0), (T0, MAX_TIME + 1)])
def test_aligned_ranges_that_are_refused(client: Any, stream: otrdb.Stream, start: int, end: int) -> None:
    for ask in (client.ep.alignedWindows, client.ep.arrowAlignedWindows):
        with pytest.raises(exceptions.InvalidTimeRange):
            list(ask(stream.uuid, start, end, 10))


def test_long_answers_come_in_messages(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("long")
    count = 3 * WINDOWS + 7
    stream.insert(np.arange(count) * 16 + 3, np.arange(count, dtype=np.float64))
    expected = stream.windows(0, count * 16, 16)
    asked = {"uuid": stream.uuid.bytes, "start": 0, "end": count * 16}
    for rpc, width in (("Windows", {"width": 16}), ("AlignedWindows", {"pointWidth": 4})):
        messages = raw(client, rpc, **asked, **width)
        assert len(messages) > 3
        assert max(message.ByteSize() for message in messages) < 1 << 20
        assert [window.time for message in messages for window in message.values] == expected.time.tolist()
        assert [window.mean for message in messages for window in message.values] == expected.mean.tolist()


def test_few_points_far_apart_are_found_in_many_windows(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("sparse")
    stream.insert([MIN_TIME, 0, 1, LAST_TIME], np.ones(4))
    found = client.stream_from_uuid(stream.uuid).aligned_windows(MIN_TIME, MAX_TIME, 0)
    assert [row[0] for row in rows(found)] == [MIN_TIME, 0, 1, LAST_TIME]
