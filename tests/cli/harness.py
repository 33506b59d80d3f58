"""Running the command line inside the test's own process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

import otrdb
from otrdb.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb.interface import ArchiveLike
    from otrdb.results import Point


@dataclass(frozen=True)
class Shell:
    """The `otrdb` command with one archive."""

    archive: Path

    def run(self, *words: object, stdin: str | None = None) -> Result:
        """Runs a command; anything but a clean exit of ours is raised as what it is."""
        arguments = ["--archive", str(self.archive), *map(str, words)]
        result = CliRunner().invoke(app, arguments, input=stdin, prog_name="otrdb")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *words: object, stdin: str | None = None) -> str:
        """What a command that succeeds prints."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: object) -> Any:
        """What a command answers as JSON."""
        return json.loads(self.ok(*words, "--json"))

    def refused(self, code: str, *words: object, stdin: str | None = None) -> str:
        """The one line with which a command ends with that error of ours."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 1, result.output
        lines = result.stderr.strip().splitlines()
        assert lines[-1].startswith(f"{code} "), result.stderr
        return lines[-1]

    def open(self) -> ArchiveLike:
        """The archive itself."""
        return otrdb.open(self.archive)

    def points(self, name: str) -> list[Point]:
        """All points of a stream, by its name tag."""
        with self.open() as db:
            (stream,) = db.streams(tags={"name": name})
            return list(stream.values())
