"""What the archive has to say arrives as the same class, with code, message, advice and fields."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest

import otrdb
from otrdb import errors
from otrdb.remote.archive import Archive as Remote
from otrdb.wire import otrdb as wire
from otrdb.wire.failures import failure, raised
from tests.engine.support import flip

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS: dict[type[errors.OtrError], dict[str, Any]] = {
    errors.Damaged: {
        "segment": 3,
        "offset": 1 << 40,
        "stream": UUID(int=7),
        "start": otrdb.MIN_TIME,
        "end": otrdb.MAX_TIME,
    },
    errors.Thinned: {"start": -5, "end": 9, "pointwidth": 36},
}


def over_the_wire(error: errors.OtrError) -> errors.OtrError:
    arrived = wire.DoneResponse.FromString(wire.DoneResponse(stat=failure(error)).SerializeToString())
    back = raised(arrived.stat)
    assert isinstance(back, errors.OtrError)
    return back


@pytest.mark.parametrize("leaf", list(errors.all_errors()), ids=lambda leaf: leaf.__name__)
def test_every_error_arrives_whole(leaf: type[errors.OtrError]) -> None:
    if leaf is errors.MissingExtra:
        error: errors.OtrError = errors.MissingExtra("pyarrow", "parquet")
    else:
        error = leaf("It is so.", advice="Do this.", **FIELDS.get(leaf, {}))
    back = over_the_wire(error)
    assert (type(back), str(back), vars(back)) == (leaf, str(error), vars(error))


def test_fields_that_are_not_known_stay_so() -> None:
    back = over_the_wire(errors.Damaged("A block is damaged.", segment=0))
    assert vars(back) == vars(errors.Damaged("A block is damaged.", segment=0))


def test_an_error_that_only_the_server_knows() -> None:
    back = raised(wire.Failure(error="OTR-4999", message="It is new.", advice="Read on."))
    assert type(back) is errors.OtrError
    assert str(back) == "OTR-4999: It is new. Read on."


@pytest.mark.parametrize(
    ("code", "leaf"),
    [
        (421, errors.InvalidArgument),
        (414, errors.InsertTooBig),
        (426, errors.Overloaded),
        (500, errors.InternalError),
    ],
)
def test_what_the_server_refuses_by_a_number(code: int, leaf: type[errors.OtrError]) -> None:
    back = raised(wire.Failure(code=code, message="No."))
    assert (type(back), str(back)) == (leaf, "No.")


def caught(call: Any) -> errors.OtrError:
    with pytest.raises(errors.OtrError) as error:
        call()
    return error.value


def test_thinned_points_are_told_as_they_are(local: otrdb.Archive, remote: Remote) -> None:
    heat = local.create("plant")
    heat.insert(np.arange(100_000) * 10**9, np.full(100_000, 20.5))
    remote.set_thinning("30d")
    (expiry,) = remote.expire(now="1970-03-01T00:00:00Z")
    assert (expiry.stream, expiry.points, expiry.pointwidth) == (heat.uuid, 100_000, 36)
    there = remote.stream(heat.uuid)
    questions: list[Callable[[Any], Any]] = [
        lambda stream: stream.values(),
        lambda stream: stream.nearest(0),
        lambda stream: stream.aligned_windows(0, 10**12, 20),
        lambda stream: stream.insert(5, 1.0),
    ]
    for question in questions:
        here, back = caught(lambda: question(heat)), caught(lambda: question(there))  # noqa: B023
        assert (type(back), str(back), vars(back)) == (errors.Thinned, str(here), vars(here))
    assert there.zoom(points=100).count.tolist() == heat.zoom(points=100).count.tolist()


@pytest.fixture
def damaged(local: otrdb.Archive, tmp_path: Path) -> otrdb.Stream:
    """A stream with a bit changed in the middle of its points."""
    stream = local.create("plant", uuid=UUID(int=7))
    stream.insert(np.arange(200_000) * 10**6, np.random.default_rng(1).normal(size=200_000))
    stream.flush()
    flip(tmp_path / "archive.otr/segment-00000001.otr", 400_000)
    return stream


def test_damage_is_told_as_it_is(damaged: otrdb.Stream, remote: Remote) -> None:
    there = remote.stream(damaged.uuid)
    here, back = caught(damaged.values), caught(there.values)
    assert (type(back), back.message) == (errors.Damaged, here.message)
    assert vars(back) == vars(here)
    assert vars(back)["stream"] == damaged.uuid


def test_damage_is_left_out_the_same_way(damaged: otrdb.Stream, remote: Remote) -> None:
    there = remote.stream(damaged.uuid)
    sound, partial = damaged.leaving_out_damage(), there.leaving_out_damage()
    assert partial.left_out == ()
    questions: list[Callable[[Any], Any]] = [
        lambda reads: reads.values(0, 10**11),
        lambda reads: reads.aligned_windows(0, 10**12, 24),
        lambda reads: reads.zoom(points=500),
    ]
    for question in questions:
        here, back = question(sound), question(partial)
        assert back.left_out == here.left_out
        assert {len(column) for column in back.to_arrow().columns} == {len(here)}
    assert partial.count() == sound.count()
    assert partial.nearest(10**10) == sound.nearest(10**10)
    assert partial.left_out == sound.left_out != ()
    assert there.at(there.version).leaving_out_damage().count() == sound.count()
    joined = remote.values([there], 0, 10**11, leave_out_damage=True)
    assert joined.left_out == damaged.leaving_out_damage().values(0, 10**11).left_out
    assert partial.changes(10) == sound.changes(10)
    assert [found.stream for found in remote.check()][:1] == [damaged.uuid]
