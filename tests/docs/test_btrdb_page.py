"""What the page for users of BTrDB shows works, through their client."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import otrdb
from otrdb.server.running import Server
from tests.docs.pages import Run

PAGE = Path(__file__).resolve().parents[2] / "docs/btrdb.md"


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with otrdb.open(tmp_path / "plant.otr") as archive, Server(archive, ["127.0.0.1:0"]) as server:
        address = f"127.0.0.1:{server.ports[0]}"
        monkeypatch.setenv("BTRDB_ENDPOINTS", address)
        monkeypatch.delenv("BTRDB_API_KEY", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        yield address


@pytest.mark.usefixtures("endpoint")
def test_btrdb_page(tmp_path: Path) -> None:
    run = Run("docs/btrdb.md", tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the client says that there is another one by now
        run.page(PAGE.read_text())
    assert run.executed == 2
