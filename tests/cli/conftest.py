from pathlib import Path

import pytest

from otrdb.model import Kind
from tests.cli.harness import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "plant.otr")


@pytest.fixture
def plant(shell: Shell) -> Shell:
    """An archive with a float, an int and a bool stream, ten points each, one a second from 1 s after
    1970."""
    values = {
        Kind.FLOAT: [i / 4 for i in range(1, 11)],
        Kind.INT: [i * 10 for i in range(1, 11)],
        Kind.BOOL: [i % 3 == 0 for i in range(1, 11)],
    }
    with shell.open() as db:
        for kind, column in values.items():
            stream = db.create("plant/line1", kind=kind, tags={"name": f"a {kind.value}", "unit": "C"})
            stream.insert([i * 10**9 for i in range(1, 11)], column)
    return shell
