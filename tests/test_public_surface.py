"""What `import otrdb` gives, and what it does not load."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import otrdb

SOURCE = ast.parse(Path(otrdb.__file__).read_text())
TYPED = Path(__file__).parent / "typing/public_surface.py"
OPTIONAL = {
    "pandas",
    "pyarrow",
    "polars",
    "nanoarrow",
    "click",
    "rich",
    "psutil",
    "matplotlib",
    "duckdb",
    "grpc",
}
"""Packages of the extras: megabytes and seconds that a program may not need."""


def imported_names() -> list[str]:
    """The names that `otrdb/__init__.py` imports, as they are called there."""
    imports = [node for node in ast.walk(SOURCE) if isinstance(node, ast.ImportFrom)]
    return [alias.asname or alias.name for node in imports for alias in node.names]


def test_each_public_name_is_exported_once() -> None:
    assert sorted(imported_names()) == sorted(otrdb.__all__)
    assert len(set(otrdb.__all__)) == len(otrdb.__all__)
    assert len({id(getattr(otrdb, name)) for name in otrdb.__all__}) == len(otrdb.__all__)


def test_a_star_import_gives_the_public_names() -> None:
    given: dict[str, object] = {}
    exec("from otrdb import *", given)
    assert set(given) - {"__builtins__"} == set(otrdb.__all__)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The top-level packages in memory after `import otrdb`, in a process of its own."""
    program = "import json, sys, otrdb; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {module.partition(".")[0] for module in json.loads(done.stdout)}


def test_an_import_loads_no_extra(loaded: set[str]) -> None:
    assert "numpy" in loaded
    assert not loaded & OPTIONAL


def test_an_import_starts_nothing() -> None:
    program = "import logging, threading, otrdb; print(threading.active_count(), logging.root.handlers)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "[]"]


def test_the_type_checkers_file_has_every_public_name() -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(TYPED.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "otrdb"
    }
    assert used == set(otrdb.__all__)


def test_the_package_says_it_is_typed() -> None:
    assert Path(otrdb.__file__).with_name("py.typed").exists()


def test_a_32_bit_python_is_told_so() -> None:
    script = "import sys; sys.maxsize = 2**31 - 1; import otrdb"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "64-bit" in done.stderr.splitlines()[-1]
