"""Every public name is documented, and every example in a docstring gives what it shows."""

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import otrdb

HANDLES = (otrdb.Archive, otrdb.Stream, otrdb.View, otrdb.Snapshot, otrdb.Points, otrdb.Windows)
"""The classes whose every method and property is documented."""

RUNS_BY_ITSELF = {"otrdb.cli.__main__"}
"""Modules that do something when they are imported."""


def module_names() -> list[str]:
    found = pkgutil.walk_packages(otrdb.__path__, "otrdb.")
    return ["otrdb", *sorted(module.name for module in found if module.name not in RUNS_BY_ITSELF)]


def examples(name: str) -> list[doctest.DocTest]:
    module = importlib.import_module(name)
    return [test for test in doctest.DocTestFinder().find(module, name) if test.examples]


@pytest.mark.parametrize("name", module_names())
def test_examples_give_what_they_show(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where examples make their archives
    runner = doctest.DocTestRunner(verbose=False)
    told: list[str] = []
    for test in examples(name):
        runner.run(test, out=told.append)
    assert not runner.summarize(verbose=False).failed, "".join(told)


def public_items() -> dict[str, Any]:
    """The classes and functions that `otrdb` exports."""
    exported = {name: getattr(otrdb, name) for name in otrdb.__all__}
    return {
        name: item for name, item in exported.items() if inspect.isclass(item) or inspect.isfunction(item)
    }


def members(handle: type) -> dict[str, Any]:
    """Public methods and properties, inherited ones too."""
    return {
        f"{handle.__name__}.{name}": member
        for name, member in inspect.getmembers(handle)
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    }


ITEMS = public_items()
MEMBERS = {name: member for handle in HANDLES for name, member in members(handle).items()}
METHODS = {name: member for name, member in MEMBERS.items() if inspect.isfunction(member)}


@pytest.mark.parametrize("name", list(ITEMS))
def test_every_public_name_is_documented(name: str) -> None:
    text = ITEMS[name].__doc__ or ""
    assert text.strip()
    assert not text.startswith(f"{name}("), "dataclasses and named tuples write such a text by themselves"


@pytest.mark.parametrize("name", list(ITEMS))
def test_every_public_name_has_an_example(name: str) -> None:
    item = ITEMS[name]
    parts = [item, *vars(item).values()] if inspect.isclass(item) else [item]
    assert any(">>>" in (getattr(part, "__doc__", None) or "") for part in parts)


@pytest.mark.parametrize("name", list(MEMBERS))
def test_every_method_and_property_is_documented(name: str) -> None:
    assert (MEMBERS[name].__doc__ or "").strip()


@pytest.mark.parametrize("name", list(METHODS))
def test_every_parameter_is_named_in_its_docstring(name: str) -> None:
    parameters = set(inspect.signature(METHODS[name]).parameters) - {"self"}
    text = METHODS[name].__doc__ or ""
    assert {parameter for parameter in parameters if parameter not in text} == set()
