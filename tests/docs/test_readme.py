"""What the README shows works as it is shown, and what it links to is there."""

import re
import sys
from pathlib import Path

import pytest

from tests.docs.pages import Run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
SAMPLES = "../shared/data"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that looks to the README's commands as this checkout does, where they may leave things."""
    directory = tmp_path / "otrdb"
    directory.mkdir()
    (directory / ".venv").symlink_to(sys.prefix)
    (tmp_path / "shared").symlink_to(ROOT.parent / "shared")
    monkeypatch.chdir(directory)
    return directory


def test_python(checkout: Path) -> None:
    run = Run("README.md", checkout, lacking={SAMPLES})
    run.page(README)
    assert run.executed == 1


@pytest.mark.skipif(not (ROOT / SAMPLES).exists(), reason="the sample data does not lie beside this checkout")
def test_sample_data(checkout: Path) -> None:
    run = Run("README.md", checkout)
    run.page(README)
    assert run.executed == 2


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *sorted(p.name for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page if (ROOT / page).exists() else ROOT / "docs" / page
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        assert aim.exists(), f"{page} links to {target}"
        assert not anchor or anchor in anchors(aim), f"{page} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_commands_of_the_first_screen_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"the Makefile has no target {target}"
