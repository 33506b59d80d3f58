"""Bad input: the right error, with what to do; nothing stored in part; the archive goes on working."""

from __future__ import annotations

import datetime as dt
import math
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest
from crc32c import crc32c

import otrdb
from otrdb.errors import (
    ArchiveLocked,
    BadValue,
    InvalidArgument,
    InvalidPointWidth,
    InvalidTimeRange,
    InvalidVersions,
    MismatchedColumns,
    NaiveTime,
    NoSuchStream,
    NotAnArchive,
    OtrError,
    TimeOutOfRange,
    UnsupportedFormat,
    VersionNotAvailable,
    WrongKind,
)
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb import Archive, Stream

NOON = dt.datetime(2026, 11, 1, 12)  # noqa: DTZ001  (a naive time is the point)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with otrdb.open(tmp_path / "a.otr", journal=1 << 20) as archive:
        for kind in ("float", "int", "bool"):
            archive.create("plant", kind=kind, tags={"name": kind})
        yield archive


def stream_of(archive: Archive, kind: str) -> Stream:
    return archive.stream("plant", name=kind)


def contents(archive: Archive) -> list[Any]:
    """All an archive would answer, and what it has in hand."""
    pending = core_of(archive).pending
    return [
        (stream.uuid, stream.state.committed, stream.state.last_version, stream.values().times.tolist())
        for stream in archive.streams()
    ] + [pending.points, pending.counts.tolist(), archive.snapshots()]


@contextmanager
def refused(archive: Archive, error: type[OtrError], code: str, builtin: type[Exception]) -> Iterator[None]:
    """What happens within is refused with that error, which says what to do, and changes nothing."""
    before = contents(archive)
    with pytest.raises(error) as raised:
        yield
    assert type(raised.value) is error
    assert raised.value.code == code
    assert isinstance(raised.value, builtin)
    assert raised.value.advice
    assert str(raised.value).endswith(raised.value.advice)
    assert contents(archive) == before
    for kind, value in (("float", 0.5), ("int", 7), ("bool", True)):
        stream_of(archive, kind).insert(len(before[0]), value)


# --- points

TIMES: list[tuple[Any, type[OtrError], str]] = [
    (NOON, NaiveTime, "OTR-4131"),
    ([NOON, NOON], NaiveTime, "OTR-4131"),
    ("2026-11-01T12:00:00", NaiveTime, "OTR-4131"),
    (["2026-11-01 12:00", "2026-11-01 13:00"], NaiveTime, "OTR-4131"),
    (MIN_TIME - 1, TimeOutOfRange, "OTR-4132"),
    (LAST_TIME + 1, TimeOutOfRange, "OTR-4132"),
    (MAX_TIME, TimeOutOfRange, "OTR-4132"),
    (1 << 63, TimeOutOfRange, "OTR-4132"),
    ([0, 1, MIN_TIME - 1], TimeOutOfRange, "OTR-4132"),
    (np.array([5, LAST_TIME + 1, 6]), TimeOutOfRange, "OTR-4132"),
    (np.array([-(1 << 63), (1 << 63) - 1]), TimeOutOfRange, "OTR-4132"),
]


@pytest.mark.parametrize(("times", "error", "code"), TIMES)
def test_times(archive: Archive, times: Any, error: type[OtrError], code: str) -> None:
    one = isinstance(times, int | str | dt.datetime)
    values: Any = 1.0 if one else np.ones(len(times))
    with refused(archive, error, code, ValueError):
        stream_of(archive, "float").insert(times, values)


@pytest.mark.parametrize("size", [3, 300, 20_000])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers(archive: Archive, bad: float, size: int) -> None:
    values = np.ones(size)
    values[size // 2] = bad
    with refused(archive, BadValue, "OTR-4250", ValueError):
        stream_of(archive, "float").insert(SECOND * np.arange(size), values)
    with refused(archive, BadValue, "OTR-4250", ValueError):
        archive.insert_columns(np.zeros(size, int), np.arange(size), values, [stream_of(archive, "float")])
    with refused(archive, BadValue, "OTR-4250", ValueError):
        archive.insert(
            {
                stream_of(archive, "int"): (np.arange(5), np.arange(5)),
                stream_of(archive, "float"): (np.arange(size), values),
            }
        )


KINDS: list[tuple[str, Any]] = [
    ("int", 1.5),
    ("int", True),
    ("int", "1"),
    ("int", [1.5, 2.5]),
    ("bool", 2),
    ("bool", 1.0),
    ("bool", "yes"),
    ("float", "1.0"),
    ("float", True),
    ("float", (1 << 53) + 1),
    ("float", [1, (1 << 53) + 1]),
    ("int", 0.0),
]


@pytest.mark.parametrize(("kind", "value"), KINDS)
def test_values_of_another_kind(archive: Archive, kind: str, value: Any) -> None:
    times: Any = list(range(len(value))) if isinstance(value, list) else 5
    with refused(archive, WrongKind, "OTR-4212", TypeError):
        stream_of(archive, kind).insert(times, value)


def test_streams_of_several_kinds_in_a_wide_batch(archive: Archive) -> None:
    with refused(archive, WrongKind, "OTR-4212", TypeError):
        archive.insert_columns(
            [0, 1], [1, 2], [1.0, 2.0], [stream_of(archive, "float"), stream_of(archive, "int")]
        )


@pytest.mark.parametrize(
    ("times", "values"),
    [([1, 2], [1.0]), ([1], [1.0, 2.0]), (5, [1.0]), ([5], 1.0), (np.arange(20_000), np.ones(3))],
)
def test_columns_that_do_not_match(archive: Archive, times: Any, values: Any) -> None:
    with refused(archive, MismatchedColumns, "OTR-4211", ValueError):
        stream_of(archive, "float").insert(times, values)


@pytest.mark.parametrize(("index", "times", "values"), [([0], [1, 2], [1.0, 2.0]), ([0, 0], [1, 2], [1.0])])
def test_wide_columns_that_do_not_match(archive: Archive, index: Any, times: Any, values: Any) -> None:
    with refused(archive, MismatchedColumns, "OTR-4211", ValueError):
        archive.insert_columns(index, times, values, [stream_of(archive, "float")])


@pytest.mark.parametrize("index", [[0, 1], [-1, 0], [0.5, 0], np.array([1 << 63, 0], np.uint64)])
def test_a_stream_index_that_names_no_stream(archive: Archive, index: Any) -> None:
    with refused(archive, InvalidArgument, "OTR-4210", ValueError):
        archive.insert_columns(index, [1, 2], [1.0, 2.0], [stream_of(archive, "float")])


@pytest.mark.parametrize("size", [1, 8_000])
def test_one_bad_point_refuses_the_batch_of_all_streams(archive: Archive, size: int) -> None:
    good = np.arange(size), np.ones(size)
    late = good[0].copy()
    late[-1] = MIN_TIME - 1
    streams = [stream_of(archive, "float"), *(archive.create(f"more/{number}") for number in range(3))]
    for bad in range(4):
        with refused(archive, TimeOutOfRange, "OTR-4132", ValueError):
            archive.insert(
                {stream: (late, good[1]) if number == bad else good for number, stream in enumerate(streams)}
            )


def test_times_outside_the_window_that_was_set(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "b.otr", accept=("2026-01-01T00:00Z", "2027-01-01T00:00Z")) as archive:
        stream = archive.create("plant")
        stream.insert("2026-01-01T00:00Z", 1.0)
        stream.insert("2026-12-31T23:59:59.999999999Z", 1.0)
        for time in ("2025-12-31T23:59:59.999999999Z", "2027-01-01T00:00Z", 0):
            with pytest.raises(TimeOutOfRange):
                stream.insert(time, 1.0)
        assert stream.count() == 2


# --- questions


QUESTIONS: list[tuple[Callable[[Stream], Any], type[OtrError], str]] = [
    (lambda stream: stream.values(5, 5), InvalidTimeRange, "OTR-4130"),
    (lambda stream: stream.values(6, 5), InvalidTimeRange, "OTR-4130"),
    (lambda stream: stream.values(MIN_TIME - 1, 5), InvalidTimeRange, "OTR-4130"),
    (lambda stream: stream.count(0, MAX_TIME + 1), InvalidTimeRange, "OTR-4130"),
    (lambda stream: stream.values(NOON), NaiveTime, "OTR-4131"),
    (lambda stream: stream.delete(5, 5), InvalidTimeRange, "OTR-4130"),
    (lambda stream: stream.delete(MIN_TIME - 1, 5), InvalidTimeRange, "OTR-4130"),
    (lambda stream: stream.nearest(MAX_TIME), TimeOutOfRange, "OTR-4132"),
    (lambda stream: stream.windows(0, 10, 0), InvalidPointWidth, "OTR-4150"),
    (lambda stream: stream.windows(0, 10, -5), InvalidPointWidth, "OTR-4150"),
    (lambda stream: stream.windows(0, MAX_TIME, 1), InvalidArgument, "OTR-4210"),
    (lambda stream: stream.aligned_windows(0, 10, -1), InvalidPointWidth, "OTR-4150"),
    (lambda stream: stream.aligned_windows(0, 10, 63), InvalidPointWidth, "OTR-4150"),
    (lambda stream: stream.aligned_windows(0, 10, 3, columns=["median"]), InvalidArgument, "OTR-4210"),
    (lambda stream: stream.zoom(points=0), InvalidArgument, "OTR-4210"),
    (lambda stream: stream.changes(10, resolution=64), InvalidPointWidth, "OTR-4150"),
    (lambda stream: stream.changes(12, 11), InvalidVersions, "OTR-4270"),
    (lambda stream: stream.at(-1), InvalidVersions, "OTR-4270"),
    (lambda stream: stream.at(12), VersionNotAvailable, "OTR-4500"),
    (lambda stream: stream.at(1 << 70), VersionNotAvailable, "OTR-4500"),
    (lambda stream: stream.changes(10, 500), VersionNotAvailable, "OTR-4500"),
]


@pytest.mark.parametrize(("question", "error", "code"), QUESTIONS)
def test_questions(
    archive: Archive, question: Callable[[Stream], Any], error: type[OtrError], code: str
) -> None:
    stream = stream_of(archive, "float")
    fill(stream, 0, 3)
    stream.flush()
    with refused(archive, error, code, LookupError if error is VersionNotAvailable else ValueError):
        question(stream)


def test_a_stream_that_is_not_there(archive: Archive) -> None:
    gone = archive.create("gone")
    gone.obliterate()
    questions: list[Callable[[], Any]] = [
        lambda: archive.stream(uuid4()),
        lambda: archive.stream("nowhere"),
        lambda: archive.stream("plant", name="none"),
        lambda: gone.insert(1, 1.0),
        lambda: gone.insert(np.arange(20_000), np.ones(20_000)),
        lambda: gone.count(),
        lambda: gone.values(),
        lambda: gone.version,
        lambda: gone.at(11),
        lambda: gone.changes(10),
        lambda: gone.delete(0, 1),
        lambda: gone.flush(),
        lambda: gone.obliterate(),
        lambda: gone.update(annotations={"a": "b"}),
        lambda: archive.insert({stream_of(archive, "float"): (1, 1.0), gone: (1, 1.0)}),
        lambda: archive.insert_columns([0, 1], [1, 1], [1.0, 1.0], (stream_of(archive, "float"), gone)),
        lambda: archive.values([gone]),
    ]
    for question in questions:
        with refused(archive, NoSuchStream, "OTR-4040", KeyError):
            question()


def test_a_stream_of_another_archive(archive: Archive, tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "other.otr") as other:
        stranger: Any = other.create("plant")
        with refused(archive, InvalidArgument, "OTR-4210", ValueError):
            archive.insert({stranger: (1, 1.0)})
        with refused(archive, InvalidArgument, "OTR-4210", ValueError):
            archive.insert_columns([0], [1], [1.0], [stranger])
        assert stranger.count() == 0


# --- the directory


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("hello")
    for mode in ("r", "w"):
        with pytest.raises(NotAnArchive) as raised:
            otrdb.open(path, mode=mode)
        assert raised.value.code == "OTR-5003"
    assert path.read_text() == "hello"


def test_a_directory_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("hello")
    for mode in ("r", "w"):
        with pytest.raises(NotAnArchive) as raised:
            otrdb.open(tmp_path, mode=mode)
        assert raised.value.advice
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_that_is_not_there_is_not_made_to_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive):
        otrdb.open(tmp_path / "none", mode="r")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotAnArchive):
        otrdb.open(tmp_path / "empty", mode="r")
    assert [entry.name for entry in tmp_path.iterdir()] == ["empty"]
    assert list((tmp_path / "empty").iterdir()) == []


def test_segments_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "segment-00000001.otr").write_bytes(os.urandom(5_000))
    for mode in ("r", "w"):
        with pytest.raises(OtrError) as raised:
            otrdb.open(tmp_path, mode=mode)
        assert raised.value.advice


def test_a_newer_format(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        fill(archive.create("plant"), 0, 3)
    segment = path / "segment-00000001.otr"
    data = bytearray(segment.read_bytes())
    data[8] = 9
    data[44:48] = crc32c(bytes(data[:44])).to_bytes(4, "little")
    segment.write_bytes(data)
    for mode in ("r", "w"):
        with pytest.raises(UnsupportedFormat) as raised:
            otrdb.open(path, mode=mode)
        assert raised.value.code == "OTR-5004"
    assert segment.read_bytes() == bytes(data)


# --- a second writer

WRITER = """
import sys, time, otrdb
with otrdb.open(sys.argv[1]) as archive:
    archive.stream("plant").insert(5, 5.0)
    print("ready", flush=True)
    time.sleep(60)
"""

OPENER = """
import sys, otrdb
try:
    otrdb.open(sys.argv[1])
except otrdb.OtrError as error:
    print(type(error).__name__, error.code, error)
"""


def test_a_second_process_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        archive.create("plant")
        fill(archive.stream("plant"), 0, 1)
        said = subprocess.run(
            [sys.executable, "-c", OPENER, str(path)], capture_output=True, text=True, check=True
        ).stdout
        assert said.startswith("ArchiveLocked OTR-5002")
        assert f"process {os.getpid()}" in said
        fill(archive.stream("plant"), 10, 1)
    with otrdb.open(path) as archive:
        assert archive.stream("plant").count() == 2


def test_a_first_process_that_writes_and_dies(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        archive.create("plant")
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        with pytest.raises(ArchiveLocked) as raised:
            otrdb.open(path)
        assert f"process {writer.pid}" in str(raised.value)
        assert raised.value.code == "OTR-5002"
        assert isinstance(raised.value, BlockingIOError)
        with otrdb.open(path, mode="r") as reader:
            assert reader.stream("plant").count() == 1
        writer.send_signal(signal.SIGKILL)
    with otrdb.open(path) as archive:
        assert archive.stream("plant").count() == 1
        assert list(archive.check()) == []


# --- truncated files


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """An archive of 3 streams: committed, committed and pending, pending only."""
    path = tmp_path / "c.otr"
    with otrdb.open(path, journal=1 << 20) as archive:
        for number in range(3):
            archive.create(f"plant/{number}")
        fill(archive.stream("plant/0"), 0, 20_000)
        fill(archive.stream("plant/1"), 0, 100)
        archive.flush()
        fill(archive.stream("plant/1"), 500, 10)
        fill(archive.stream("plant/2"), 0, 10)
    return path


def truncated(path: Path, name: str, size: int) -> None:
    data = (path / name).read_bytes()
    (path / name).write_bytes(data[:size])


@pytest.mark.parametrize("mode", ["w", "r"])
@pytest.mark.parametrize("part", [0.0, 0.002, 0.3, 0.7, 0.99])
def test_a_truncated_segment(closed: Path, part: float, mode: Any) -> None:
    """What is lost is said, by an error or by a check; what is there can be read; nothing is invented."""
    name = "segment-00000001.otr"
    truncated(closed, name, int(part * (closed / name).stat().st_size))
    try:
        archive = otrdb.open(closed, mode=mode)
    except OtrError as error:
        assert error.advice  # noqa: PT017
        return
    with archive:
        assert list(archive.check()) != []
        for stream in archive.streams():
            try:
                assert len(stream.values()) == stream.count()
            except OtrError as error:
                assert error.code == "OTR-5010"  # noqa: PT017
        if mode == "w":
            fresh = archive.create("fresh")
            fill(fresh, 0, 3)
            fresh.flush()
            assert fresh.count() == 3


@pytest.mark.parametrize("part", [0.0, 0.0001, 0.5])
def test_a_truncated_journal(closed: Path, part: float) -> None:
    name = "journal-00000001.otj"
    truncated(closed, name, int(part * (closed / name).stat().st_size))
    with otrdb.open(closed) as archive:
        assert archive.stream("plant/0").count() == 20_000
        assert archive.stream("plant/1").count() in (100, 110)
        fill(archive.stream("plant/2"), 50, 3)
        lost = archive.stream("plant/2").count() == 3
        assert not lost or part < 0.5
    with otrdb.open(closed) as archive:
        assert archive.stream("plant/2").count() == (3 if lost else 13)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", os.urandom(3_000)])
def test_a_truncated_catalog(closed: Path, content: bytes) -> None:
    (closed / "catalog.sqlite").write_bytes(content)
    for mode in ("r", "w"):
        with otrdb.open(closed, mode=mode) as archive:
            counts = [archive.stream(f"plant/{number}").count() for number in range(3)]
            assert counts == [20_000, 110, 10]
            assert list(archive.check()) == []
