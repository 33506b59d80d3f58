"""API keys: kept hashed in one file, changed durably and atomically, in nobody's way."""

import base64
import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import otrdb
from otrdb.errors import Damaged, InvalidArgument, NotAnArchive, UnsupportedFormat
from otrdb.server.keys import FILE_NAME, CurrentKeys, KeyFile, digest_of
from otrdb.server.rpc import Scope

NAMES = st.sampled_from(["a", "b", "plotter", "x@y.z"])


def names(keys: KeyFile) -> list[str]:
    return [key.name for key in keys.read() or ()]


def test_a_key_is_256_random_bits_and_the_file_does_not_hold_them(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path)
    secrets = [keys.create(name, Scope.READ) for name in "abc"]
    texts = [secret.removeprefix("otrdb_") for secret in secrets]
    assert [len(base64.urlsafe_b64decode(text + "=")) for text in texts] == [32, 32, 32]
    assert len(set(texts)) == 3
    stored = (tmp_path / FILE_NAME).read_text()
    assert all(text not in stored for text in texts)
    assert [key.digest for key in keys.read() or ()] == [digest_of(secret) for secret in secrets]


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyFile(tmp_path).create("a", Scope.ADMIN)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [FILE_NAME]


@pytest.mark.parametrize("name", ["", "a b", "-a", "ä", "a" * 64, "a\n", "../a"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument):
        KeyFile(tmp_path).create(name, Scope.READ)
    assert os.listdir(tmp_path) == []


def test_where_no_archive_is_no_key_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive):
        KeyFile(tmp_path / "none").create("a", Scope.READ)


@pytest.mark.parametrize("change", [lambda keys: keys.create("b", Scope.READ), lambda keys: keys.revoke("a")])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_change_that_fails_leaves_the_keys_as_they_were(
    tmp_path: Path, change: Callable[[KeyFile], object], call: str
) -> None:
    keys = KeyFile(tmp_path)
    keys.create("a", Scope.READ)
    before = (tmp_path / FILE_NAME).read_bytes()
    with (
        patch(f"os.{call}", side_effect=OSError(5, "Input/output error")),
        pytest.raises(OSError, match=r"I.*error"),
    ):
        change(keys)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    change(keys)  # what was left of the attempt is in nobody's way
    assert (tmp_path / FILE_NAME).read_bytes() != before


def test_a_change_is_on_the_disk_before_it_is_told(tmp_path: Path) -> None:
    """The new file is synced before it gets its name, and the directory after that."""
    calls = []

    def note(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def noted(*args: object) -> object:
            calls.append(name)
            return real(*args)

        return noted

    with patch("os.fsync", note("fsync", os.fsync)), patch("os.replace", note("replace", os.replace)):
        KeyFile(tmp_path).create("a", Scope.READ)
    assert calls == ["fsync", "replace", "fsync"]


def test_changes_of_several_processes_do_not_undo_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: KeyFile(tmp_path).create(f"k{number:02}", Scope.READ), range(24)))
    assert names(KeyFile(tmp_path)) == [f"k{number:02}" for number in range(24)]


def row(scope: str, digest: str) -> str:
    key = {"name": "a", "scope": scope, "sha256": digest, "created": "2026-01-01T00:00:00Z"}
    return json.dumps({"format": 1, "keys": [key]})


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "[]",
            "{}",
            "7",
            '{"format": 1}',
            '{"format": 1, "keys": [{}]}',
            '{"format": 1, "keys": 7}',
        ),
        *(row("god", "00" * 32), row("read", "00"), row("read", "x")),
    ],
)
def test_what_holds_no_keys_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(Damaged):
        KeyFile(tmp_path).read()


def test_keys_of_a_newer_release_are_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({"format": 2, "keys": {}}))
    with pytest.raises(UnsupportedFormat):
        KeyFile(tmp_path).read()


def test_nothing_else_in_the_archive_minds_them(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as db:
        db.create("plant", tags={"name": "x"}).insert([1, 2], [1.0, 2.0])
        KeyFile(path).create("a", Scope.READ)
        assert list(db.check(deep=True)) == []
        db.backup(tmp_path / "backup")
    assert otrdb.repair(path) == []
    with otrdb.open(path) as db:
        assert db.stream("plant").count() == 2
    with otrdb.inspect(path) as files:
        assert len(list(files.files())) >= 1
    assert KeyFile(path).read()
    assert not (tmp_path / "backup" / FILE_NAME).exists()


def test_an_archive_can_be_made_where_keys_are(tmp_path: Path) -> None:
    KeyFile(tmp_path).create("a", Scope.READ)
    otrdb.open(tmp_path).close()


class Keys(RuleBasedStateMachine):
    """Keys beside a dictionary of them, seen by somebody who looks after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name)
        self.model: dict[str, tuple[Scope, bytes]] | None = None
        self.current = CurrentKeys(KeyFile(self.path))

    @rule(name=NAMES, scope=st.sampled_from(Scope))
    def create(self, name: str, scope: Scope) -> None:
        if name in (self.model or {}):
            with pytest.raises(InvalidArgument):
                KeyFile(self.path).create(name, scope)
            return
        self.model = (self.model or {}) | {name: (scope, digest_of(KeyFile(self.path).create(name, scope)))}

    @rule(name=NAMES)
    def revoke(self, name: str) -> None:
        if self.model is None or name not in self.model:
            with pytest.raises(InvalidArgument):
                KeyFile(self.path).revoke(name)
            return
        del self.model[name]
        assert KeyFile(self.path).revoke(name) == len(self.model)

    @rule()
    def remove(self) -> None:
        (self.path / FILE_NAME).unlink(missing_ok=True)
        self.model = None

    @invariant()
    def everybody_sees_the_same(self) -> None:
        for keys in (KeyFile(self.path).read(), self.current()):
            found = None if keys is None else {key.name: (key.scope, key.digest) for key in keys}
            assert found == self.model

    def teardown(self) -> None:
        self.directory.cleanup()


TestKeys = Keys.TestCase
