"""Packages that are imported when they are needed."""

import importlib
import threading
from typing import Any

import pytest

from otrdb.errors import MissingExtra
from otrdb.export import import_extra


def test_threads_import_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nanoarrow is broken for good if two threads import it at once."""
    inside, most = [0], [0]
    real = importlib.import_module

    def import_module(name: str) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        begun.wait(0.01)
        inside[0] -= 1
        return real(name)

    begun = threading.Event()
    monkeypatch.setattr(importlib, "import_module", import_module)
    threads = [threading.Thread(target=import_extra, args=("json", "arrow")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_package_that_is_missing_names_its_extra() -> None:
    with pytest.raises(MissingExtra, match=r"otrdb\[cloud\]"):
        import_extra("no_such_package", "cloud")
