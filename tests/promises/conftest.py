"""Every test of a promise runs once for each archiver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from otrdb.interface import ArchiveLike
from tests.support.implementations import IMPLEMENTATIONS, Factory


class Reopened:
    """An archive that can be closed and opened again; `db` is the one open now."""

    def __init__(self, factory: Factory, path: Path) -> None:
        self._factory = factory
        self._path = path
        self.db = factory(path)

    def reopen(self) -> ArchiveLike:
        self.db.close()
        self.db = self._factory(self._path)
        return self.db


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def factory(request: pytest.FixtureRequest) -> Factory:
    return IMPLEMENTATIONS[request.param]


@pytest.fixture
def opened(factory: Factory, tmp_path: Path) -> Iterator[Reopened]:
    """An archive that the test means to open again."""
    archive = Reopened(factory, tmp_path / "archive.otr")
    yield archive
    archive.db.close()


@pytest.fixture
def archive(opened: Reopened) -> ArchiveLike:
    return opened.db
