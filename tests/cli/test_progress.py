import io
import sys

import pytest

from otrdb.cli.progress import progress, spinner


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
    assert ("Reading" in screen.getvalue()) == watched
    assert ("Checking" in screen.getvalue()) == watched
