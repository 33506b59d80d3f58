"""docs/cli.md speaks of every command, option and exit code, of none that is not there; its examples run."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from otrdb.cli import failures
from otrdb.cli.app import COMMANDS, app
from tests.docs.pages import Run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
TEXT = PAGE.read_text()
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
EVERYWHERE = {"-a", "--archive", "-h", "--help"}


def section(name: str) -> str:
    """The section of a command, up to the next heading of its level."""
    found = re.search(rf"^## `otrdb {name}`$(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section on {name}"
    return found[1]


def prose(text: str) -> str:
    """A text without its examples, whose options other programs may have."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def parameters(command: click.Command) -> Iterator[click.Parameter]:
    yield from command.params
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from parameters(child)


def options(name: str) -> set[str]:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    shown = [parameter for parameter in parameters(command) if isinstance(parameter, click.Option)]
    return {word for option in shown for word in [*option.opts, *option.secondary_opts]} - EVERYWHERE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_where_its_command_is(name: str) -> None:
    assert options(name) - set(OPTION.findall(section(name))) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_explained_that_is_not_there(name: str) -> None:
    others = {word for other in COMMANDS for word in options(other) if f"otrdb {other} --" in section(name)}
    mentioned = {word for word in OPTION.findall(prose(section(name))) if word.startswith("--")}
    assert mentioned - options(name) - EVERYWHERE - others == set()


def test_the_shared_part_names_only_options_that_are_there() -> None:
    everything = set().union(*map(options, COMMANDS)) | EVERYWHERE | {"--version"}
    shared = TEXT[TEXT.index("## What all commands share") : TEXT.index("## `otrdb create`")]
    assert {word for word in OPTION.findall(shared) if word.startswith("--")} <= everything


def test_commands_of_groups_are_named() -> None:
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        for child in command.commands if isinstance(command, click.Group) else ():
            assert f"`otrdb {name} {child}`" in section(name)


def test_every_exit_code_is_explained() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    ours = {failures.FAILED, failures.DAMAGE_FOUND, failures.INTERRUPTED}
    assert codes == {0, click.UsageError.exit_code} | ours


def test_the_examples_run(tmp_path: Path) -> None:
    run = Run("docs/cli.md", tmp_path)
    run.page(TEXT)
    assert run.executed >= 6
