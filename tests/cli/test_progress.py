import io
import sys

import pytest

from otrdb.cli.progress import measured, meter, progress, spinner
from otrdb.results import CheckProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("watched", [True, False])
def test_progress_is_drawn_for_who_watches(monkeypatch: pytest.MonkeyPatch, watched: bool) -> None:
    screen = Terminal() if watched else io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress("Reading", 10) as advance:
        advance(4)
        advance(6)
    with spinner("Checking"):
        pass
    with measured("Copying") as told:
        if told is not None:
            told(4, 10)
            told(10, 10)
    assert (told is not None) == watched
    assert ("Copying" in screen.getvalue()) == watched
    assert ("Reading" in screen.getvalue()) == watched
    assert ("Checking" in screen.getvalue()) == watched


@pytest.mark.parametrize("watched", [True, False])
def test_a_check_is_drawn_and_gives_way_to_its_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], watched: bool
) -> None:
    screen = Terminal() if watched else io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with meter() as shown:
        shown.report(CheckProgress("points", 5, 10))
        with shown.aside():
            sys.stdout.write("found\n")
        shown.report(CheckProgress("points", 10, 10))
        shown.report(CheckProgress("bytes", 1, 2))
    assert capsys.readouterr().out == "found\n"
    assert ("Trees" in screen.getvalue()) == watched
    assert ("Segments" in screen.getvalue()) == watched
