from collections.abc import Iterator
from pathlib import Path

import pytest

import otrdb
from otrdb.collect.recorder import Recorder
from otrdb.interface import ArchiveLike


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[ArchiveLike]:
    with otrdb.open(tmp_path / "host.otr") as db:
        yield db


@pytest.fixture
def recorder(archive: ArchiveLike) -> Recorder:
    return Recorder(archive, "host/test")
