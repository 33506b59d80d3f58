"""Backups on media in memory: made, opened, and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.engine.backup import backup
from otrdb.engine.core import Budget
from otrdb.engine.opening import backup_on, note_what_is_missing, open_medium
from otrdb.storage.backup_files import copy_backup
from otrdb.storage.backup_manifest import read_manifest
from otrdb.storage.durability import Durability
from tests.support.faulty import FaultyMedium
from tests.support.power_cuts import MEBIBYTE

if TYPE_CHECKING:
    from otrdb import Archive, BackedUp
    from otrdb.storage.backup_manifest import Manifest
    from otrdb.storage.medium import Medium


def unwatched(_: int, __: int) -> None:
    """A progress nobody looks at."""


def back_up(archive: Archive, target: Medium) -> BackedUp:
    return backup(archive._engine, target, unwatched)


def manifest_of(medium: Medium) -> Manifest:
    manifest = read_manifest(medium)
    assert manifest is not None
    return manifest


def restored(medium: Medium) -> FaultyMedium:
    """An archive that is a copy of the backup."""
    target, manifest = FaultyMedium(), manifest_of(medium)
    copy_backup(backup_on(medium, manifest), manifest, target, lambda _: None)
    return target.crash()


def read(medium: Medium) -> Archive:
    """The backup itself, open for reading."""
    manifest = manifest_of(medium)
    archive = open_medium(
        backup_on(medium, manifest),
        writable=False,
        durability=Durability.parse("sync"),
        budget=Budget(32 << 20),
        journal_cap=MEBIBYTE,
    )
    note_what_is_missing(archive, medium, manifest)
    return archive
