import io
import sys

import pytest

from otrdb.cli.progress import measured, progress, spinner


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
