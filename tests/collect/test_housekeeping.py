"""Housekeeping: what is done beside the collecting, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

import otrdb
from otrdb.collect.housekeeping import Housekeeping
from otrdb.errors import ClosedArchive, Damaged, DiskFull
from otrdb.results import Compacted, Finding

if TYPE_CHECKING:
    from pathlib import Path


def test_space_is_given_back_although_nothing_can_be_dropped(tmp_path: Path) -> None:
    """On a full disk there is no room for the versions that expiring makes; compaction makes some."""
    with otrdb.open(tmp_path / "a.otr") as archive:
        housekeeping = Housekeeping(archive)
        with (
            patch.object(archive, "expire", side_effect=DiskFull("No room.")),
            patch.object(archive, "compact", return_value=Compacted(0, 0, 0, 0, [])) as compact,
        ):
            housekeeping()
            housekeeping.wait()
        compact.assert_called_once_with(newest=False, gently=True)
        with pytest.raises(DiskFull):
            housekeeping()
        housekeeping.wait()
        housekeeping()
        housekeeping.wait()


def test_damage_that_keeps_a_segment_is_told(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        housekeeping = Housekeeping(archive)
        found = Compacted(0, 0, 0, 0, [Finding(Damaged.code, "It is damaged.")])
        with patch.object(archive, "compact", return_value=found):
            housekeeping()
            housekeeping.wait()
        with pytest.raises(Damaged, match="It is damaged"):
            housekeeping()
        housekeeping.wait()


def test_it_ends_when_the_archive_is_closed(tmp_path: Path) -> None:
    archive = otrdb.open(tmp_path / "a.otr")
    housekeeping = Housekeeping(archive)
    with patch.object(archive, "expire", side_effect=ClosedArchive("It is closed.")):
        housekeeping()
        housekeeping.wait()
    archive.close()
    housekeeping()
    housekeeping.wait()
    housekeeping()
    housekeeping.wait()
