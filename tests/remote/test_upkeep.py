"""Rules, expiring, compacting, checking, and what the archive says of itself: as the library has them."""

import json
from typing import Any

import numpy as np
import pytest

import otrdb
from otrdb.errors import InvalidArgument, InvalidPointWidth, OtrError
from otrdb.remote.archive import Archive as Remote

DAY = 86_400 * 10**9


def test_rules(local: otrdb.Archive, remote: Remote) -> None:
    heat = remote.create("plant")
    remote.set_retention("90d", prefix="plant/")
    remote.set_retention(DAY, stream=heat)
    remote.set_thinning("30d", pointwidth=40)
    remote.set_thinning("forever", prefix="lab")
    remote.set_history("2h,1d,7d", prefix="plant/")
    assert remote.rules() == list(local.rules())
    assert len(remote.rules()) == 5
    remote.set_retention(None, prefix="plant/")
    remote.set_thinning(None)
    remote.set_history(None, prefix="plant/")
    assert remote.rules() == list(local.rules())
    assert len(remote.rules()) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("set_retention", ["soon"], InvalidPointWidth),
        ("set_retention", [-1], InvalidPointWidth),
        ("set_thinning", ["30d"], InvalidPointWidth),
        ("set_history", ["1x"], OtrError),
        ("set_history", [5], InvalidArgument),
    ],
)
def test_what_is_no_rule_is_refused(
    remote: Remote, name: str, arguments: list[Any], error: type[OtrError]
) -> None:
    options = {"pointwidth": 37} if name == "set_thinning" else {}
    with pytest.raises(error):
        getattr(remote, name)(*arguments, **options)
    assert remote.rules() == []


def test_a_rule_is_for_a_prefix_or_a_stream(remote: Remote) -> None:
    with pytest.raises(InvalidArgument, match="prefix or for a stream"):
        remote.set_retention("1d", prefix="plant", stream=remote.create("plant"))


def test_expire_and_compact(local: otrdb.Archive, remote: Remote) -> None:
    heat = remote.create("plant")
    heat.insert(np.arange(200_000) * 10**9, np.random.default_rng(1).normal(size=200_000))
    remote.set_retention("1d")
    now = 200_000 * 10**9
    planned = remote.expire(dry_run=True, now=now)
    assert planned == local.expire(dry_run=True, now=now)
    assert remote.expire(now=now) == planned
    (expiry,) = planned
    assert (expiry.stream, heat.count()) == (heat.uuid, 200_000 - expiry.points)
    heat.obliterate()
    done = remote.compact()
    assert (done.segments, done.findings) == (1, [])
    assert done.bytes > 0
    assert type(done) is type(local.compact())


def test_what_the_archive_says_of_itself(local: otrdb.Archive, remote: Remote) -> None:
    remote.create("plant").insert([1, 2], [20.5, 20.7])
    assert remote.info() == json.loads(json.dumps(local.info()))
    told, here = remote.stats(), local.stats()
    assert told.keys() == here.keys()
    assert told["pending_points"] == 2
    assert list(remote.check()) == list(remote.check(deep=False)) == []
