"""The remote handles take the same calls as those of the library, but for what their page says."""

import inspect
from pathlib import Path
from typing import Any

import pytest

import otrdb
from otrdb.remote import archive, snapshot, stream

PAIRS = [
    (otrdb.Archive, archive.Archive),
    (otrdb.Stream, stream.Stream),
    (otrdb.View, stream.View),
    (otrdb.Partial, stream.Partial),
    (otrdb.PartialStream, stream.PartialStream),
    (otrdb.Snapshot, snapshot.Snapshot),
]
LACKING = {
    (otrdb.Archive, "backup"),
    (otrdb.Archive, "subscribe"),
    (otrdb.Stream, "now"),
    (otrdb.View, "pending"),
    (otrdb.Snapshot, "check"),
}
INTERNAL = {(otrdb.Snapshot, "frozen")}
SHORTER = {(otrdb.Archive, "compact"), (otrdb.Archive, "check")}
"""Without `progress`."""


def public(handle: type) -> dict[str, Any]:
    """Methods and properties by name."""
    members = inspect.getmembers(handle)
    found = {name: member for name, member in members if not name.startswith("_")}
    return {
        name: member for name, member in found.items() if callable(member) or isinstance(member, property)
    }


def parameters(method: Any) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.default) for each in inspect.signature(method).parameters.values()]


@pytest.mark.parametrize(("local", "remote"), PAIRS, ids=lambda handle: handle.__module__)
def test_calls_are_the_same(local: type, remote: type) -> None:
    here, there = public(local), public(remote)
    assert {name for name in here if (local, name) not in LACKING | INTERNAL} - there.keys() == set()
    for name in here.keys() & there.keys():
        if isinstance(here[name], property):
            assert isinstance(there[name], property)
            continue
        wanted = parameters(here[name])
        if (local, name) in SHORTER:
            wanted = [each for each in wanted if each[0] != "progress"]
        assert parameters(there[name]) == wanted, name


def test_the_page_names_what_is_not_there() -> None:
    page = (Path(__file__).parents[2] / "docs/connect.md").read_text()
    told = page[page.index("**Not there**") :]
    for _, name in LACKING:
        assert f"`{name}" in told
