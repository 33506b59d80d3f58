"""Every error of the library has its code on the wire, and an exception that clients of BTrDB know."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from btrdb import exceptions
from btrdb.conn import BTrDB, Connection
from btrdb.endpoint import Endpoint

import otrdb
from otrdb import errors
from otrdb.server.running import Server
from otrdb.server.status import CODES, code_of

from .calls import raw

NAMED = {
    errors.NoSuchPoint: exceptions.NoSuchPoint,
    errors.NoSuchStream: exceptions.StreamNotFoundError,
    errors.NoSuchSnapshot: exceptions.StreamNotFoundError,
    errors.InvalidCollection: exceptions.InvalidCollection,
    errors.InvalidTagKey: exceptions.InvalidTagKey,
    errors.InvalidTagValue: exceptions.InvalidTagValue,
    errors.InvalidTimeRange: exceptions.InvalidTimeRange,
    errors.NaiveTime: exceptions.InvalidTimeRange,
    errors.TimeOutOfRange: exceptions.InvalidTimeRange,
    errors.InvalidPointWidth: exceptions.InvalidPointWidth,
    errors.StreamExists: exceptions.StreamExists,
    errors.AmbiguousStream: exceptions.AmbiguousStream,
    errors.BadValue: exceptions.BadValue,
    errors.RecycledUuid: exceptions.RecycledUUID,
    errors.VersionNotAvailable: exceptions.VersionNotAvailable,
}
"""Those that have an exception of their own there, or share one."""

SERVED = [error for error in errors.all_errors() if error not in NAMED]


def made(error: type[errors.OtrError]) -> errors.OtrError:
    return errors.MissingExtra("pandas", "pandas") if error is errors.MissingExtra else error("It is so.")


def told_as(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch, error: errors.OtrError
) -> Exception:
    """What the client raises when answering does."""
    stream = archive.create("plant")

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(otrdb.Stream, "now", refuse)
    with pytest.raises(exceptions.BTrDBError) as raised:
        client.stream_from_uuid(stream.uuid).values(0, 9)
    error_there: Exception = raised.value
    return error_there


@pytest.mark.parametrize("error", NAMED, ids=lambda error: error.__name__)
def test_errors_that_have_an_exception_there(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch, error: type[errors.OtrError]
) -> None:
    assert type(told_as(client, archive, monkeypatch, made(error))) is NAMED[error]


@pytest.mark.parametrize("error", SERVED, ids=lambda error: error.__name__)
def test_all_others_carry_their_code_and_their_words(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch, error: type[errors.OtrError]
) -> None:
    raised = told_as(client, archive, monkeypatch, made(error))
    code, text = code_of(made(error)), str(made(error))
    if code in exceptions.BTRDB_ERRORS:
        assert type(raised) is exceptions.BTRDB_ERRORS[code]
        assert str(raised) == text
    elif code in exceptions.BTRDB_SERVER_ERRORS:
        assert type(raised) is exceptions.BTRDBServerError
        assert str(raised) == f"{code}: {text}"
    else:
        assert type(raised) is exceptions.BTrDBError
        assert str(raised) == text


def test_errors_without_a_number_of_btrdbs_have_one_given() -> None:
    assert {
        error for error in errors.all_errors() if error.code > "OTR-5" and code_of(made(error)) == 500
    } <= {
        errors.ArchiveLocked,
        errors.NotAnArchive,
        errors.UnsupportedFormat,
        errors.NotABackup,
        errors.Unreachable,
        errors.TookTooLong,
        errors.AccessDenied,
        errors.InternalError,
    }
    assert all(400 <= code < 600 for code in CODES.values())


def test_thinned_times_are_told(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("plant")
    second = 10**9
    stream.insert(np.arange(100_000) * second, np.ones(100_000))
    archive.set_thinning("30d", pointwidth=36)
    archive.expire(now="1970-03-01T00:00:00Z")
    remote = client.stream_from_uuid(stream.uuid)
    calls: list[Any] = [
        lambda: remote.values(0, 1000 * second),
        lambda: remote.arrow_values(0, 1000 * second),
        lambda: remote.aligned_windows(0, 1000 * second, 30),
        lambda: remote.arrow_windows(0, 1000 * second, 7 * second),
        lambda: remote.nearest(500 * second, 0, False),
        lambda: remote.insert([(5, 1.0)]),
        lambda: remote.delete(5, 6),
    ]
    for call in calls:
        with pytest.raises(exceptions.BTRDBServerError, match="454: "):
            call()
    assert sum(window.count for window, _ in remote.aligned_windows(0, 1 << 48, 36)) == 100_000


def test_an_archive_that_is_only_read_refuses_to_change(archive: otrdb.Archive, tmp_path: Path) -> None:
    stream = archive.create("plant")
    stream.insert([1, 2], [1.0, 2.0])
    with (
        otrdb.open(tmp_path / "archive.otr", mode="r") as reader,
        Server(reader, ["127.0.0.1:0"]) as server,
    ):
        client = BTrDB(Endpoint(Connection(f"127.0.0.1:{server.ports[0]}").channel))
        remote = client.stream_from_uuid(stream.uuid)
        assert len(remote.values(0, 9)) == 2
        calls: list[Any] = [lambda: remote.insert([(3, 1.0)]), lambda: remote.delete(0, 9), remote.flush]
        for call in calls:
            with pytest.raises(exceptions.BTrDBError, match="reading"):
                call()


def test_an_error_in_the_middle_ends_the_answer(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = archive.create("plant")
    stream.insert(np.arange(200_000), np.ones(200_000))
    values, asked = otrdb.View.values, list[int]()

    def third_time_not(view: otrdb.View, *args: Any) -> Any:
        asked.append(1)
        if len(asked) == 3:
            raise errors.Damaged("A block is not what was written.")
        return values(view, *args)

    monkeypatch.setattr(otrdb.View, "values", third_time_not)
    messages = raw(client, "RawValues", uuid=stream.uuid.bytes, start=0, end=1 << 40)
    assert [message.stat.code for message in messages[-2:]] == [0, 432]
    assert not messages[-1].values
    assert 0 < sum(len(message.values) for message in messages) < 200_000
