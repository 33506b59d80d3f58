"""The command as a whole: what it offers, what it loads, how it ends."""

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import otrdb
import otrdb.cli
from otrdb.cli import failures, values
from otrdb.cli.app import COMMANDS, app
from otrdb.errors import OtrError, all_errors
from tests.cli.harness import Shell

HEAVY = {"pandas", "polars", "pyarrow", "rich", "psutil", "nanoarrow", "duckdb", "matplotlib"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def loaded_by(*words: str) -> set[str]:
    """The modules that a process of its own has loaded after running a command."""
    lines = [
        "from otrdb.cli.app import app",
        f"app({words!r}, standalone_mode=False)",
        "import sys",
        "print(*sys.modules)",
    ]
    return set(python("\n".join(lines)).stdout.splitlines()[-1].split())


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(app, ["--help"]).stdout
    assert all(f"  {name} " in text and line in text for name, line in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_every_command_module_is_in_the_table() -> None:
    """A module with a command that the table lacks could not be reached."""
    root = Path(otrdb.cli.__file__).parent
    modules = [importlib.import_module(f"otrdb.cli.{path.stem}") for path in root.glob("[a-z]*.py")]
    commands = [getattr(module, "command", None) for module in modules]
    assert {command.name for command in commands if isinstance(command, click.Command)} == set(COMMANDS)


def test_help_loads_no_optional_package_but_click() -> None:
    loaded = loaded_by("--help")
    assert loaded & HEAVY == set()
    assert loaded & {f"otrdb.cli.{name}" for name in COMMANDS} == set()


def test_reading_values_loads_no_optional_package_but_click(plant: Shell) -> None:
    words = ["-a", str(plant.archive), "values", "plant/line1/a float", "--csv"]
    assert loaded_by(*words) & HEAVY == set()


def test_without_click_the_extra_is_named() -> None:
    done = python("import sys; sys.modules['click'] = None; from otrdb.cli import main; main()")
    assert done.returncode == 1
    assert done.stderr == "OTR-5030 This needs click. Install it with: pip install 'otrdb[cli]'\n"


def test_the_version_is_the_package_s() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.split()[-1] == otrdb.__version__


def test_the_archive_is_named_before_or_behind_the_command_or_by_the_environment(plant: Shell) -> None:
    runner, path = CliRunner(), str(plant.archive)
    words = ["info", "--json"]
    before = runner.invoke(app, ["-a", path, *words]).stdout
    behind = runner.invoke(app, ["-a", "elsewhere", *words, "-a", path]).stdout
    environment = runner.invoke(app, words, env={"OTRDB_ARCHIVE": path}).stdout
    assert before == behind == environment != ""


def test_the_archive_is_by_default_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OTRDB_ARCHIVE", raising=False)
    assert CliRunner().invoke(app, ["create", "plant"]).exit_code == 0
    assert (tmp_path / "archive.otr").is_dir()


def test_our_errors_end_with_1_and_one_line(shell: Shell) -> None:
    result = shell.run("info")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"OTR-5003 There is no archive {shell.archive}. "
        "Name another with -a, or make this one with: otrdb create\n"
    )
    assert not shell.archive.exists()


@pytest.mark.parametrize(
    "words", [["nonsense"], ["values"], ["values", "a", "--nonsense"], ["zoom", "a", "--points", "x"]]
)
def test_wrong_usage_ends_with_2(shell: Shell, words: list[str]) -> None:
    assert shell.run(*words).exit_code == 2


def test_ctrl_c_ends_with_130(plant: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(values, "point_sheets", interrupt)
    result = plant.run("values", "plant/line1/a float")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_errors_of_the_file_system_are_one_line_too(plant: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/plant")

    monkeypatch.setattr(values, "point_sheets", refuse)
    line = plant.refused("OTR-4210", "values", "plant/line1/a float")
    assert line == "OTR-4210 /plant: Permission denied. Check the path and who may use it."


def test_a_reader_that_goes_away_is_no_error_of_ours(plant: Shell) -> None:
    command = f"{sys.executable} -m otrdb.cli -a {plant.archive} values 'plant/line1/a int' --limit 0 | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_bugs_stay_tracebacks(plant: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(values, "point_sheets", stumble)
    with pytest.raises(ZeroDivisionError):
        plant.run("values", "plant/line1/a float")


def test_advice_speaks_of_the_command_line() -> None:
    """Python's ways to go on are no help in a shell."""
    for kind in all_errors():
        if kind.__init__ is OtrError.__init__:
            line = failures.describe(kind("It failed."))
            assert line.startswith(f"{kind.code} It failed.")
            assert not any(
                word in line for word in ("archive.", "stream.", "otrdb.open", "mode=", "tzinfo")
            ), line
