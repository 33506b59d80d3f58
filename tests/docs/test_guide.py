"""The code of the guide, of connecting and of reliability runs and prints what they show."""

from pathlib import Path

import pytest

from tests.docs.pages import Run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_guide(directory: Path) -> None:
    run = Run("docs/guide.md", directory)
    run.page((ROOT / "docs/guide.md").read_text())
    assert run.executed > 15


def test_connect(directory: Path) -> None:
    run = Run("docs/connect.md", directory)
    run.page((ROOT / "docs/connect.md").read_text())
    assert run.executed == 7


def test_reliability(directory: Path) -> None:
    run = Run("docs/reliability.md", directory)
    run.page((ROOT / "docs/reliability.md").read_text())
    assert run.executed == 3
