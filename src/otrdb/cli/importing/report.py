"""What is told about an import."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from otrdb.cli.output import Output, emit
from otrdb.cli.output.cells import sheet_of
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.cli.importing.survey import Survey

_COLUMNS: Final = {
    "column": "text",
    "stream": "text",
    "kind": "text",
    "unit": "text",
    "is": "text",
    "points": "int",
    "empty": "int",
    "bad": "int",
    "first": "time",
    "last": "time",
}


def records(survey: Survey) -> list[dict[str, Any]]:
    """A row for each column of values."""
    return [
        {
            "column": name,
            "stream": target.path,
            "kind": target.kind.value,
            "unit": target.tags.get("unit"),
            "is": "old" if count.there else "new" if target.wanted else "not made",
            "points": count.points,
            "empty": count.empty,
            "bad": count.bad,
            "first": count.first,
            "last": count.last,
        }
        for name, target in survey.plan.targets.items()
        for count in [survey.columns[name]]
    ]


def print_report(surveys: Sequence[Survey], as_json: bool) -> None:
    """Says per file how it was read, and per column what went where."""
    if as_json:
        click.echo(json.dumps([_json_file(survey) for survey in surveys], indent=2, ensure_ascii=False))
        return
    for survey in surveys:
        click.echo(_headline(survey))
        for example in survey.examples:
            click.echo(f"  left out: {example}")
        emit([sheet_of(records(survey), _COLUMNS)], Output("table", "iso", None))


def _headline(survey: Survey) -> str:
    source = survey.plan.source
    notes = "".join(f"; {key}: {value}" for key, value in source.notes.items())
    bad = f", {survey.bad_rows} bad rows left out" if survey.bad_rows else ""
    return (
        f"{source.path}: {survey.rows} rows{bad}; times from {survey.plan.time_column!r}: "
        f"{survey.times.description}{notes}"
    )


def _json_file(survey: Survey) -> dict[str, Any]:
    source = survey.plan.source
    columns = records(survey)
    for column in columns:
        for key in ("first", "last"):
            column[key] = None if column[key] is None else format_ns(column[key])
    return {
        "file": str(source.path),
        "rows": survey.rows,
        "bad_rows": survey.bad_rows,
        "time_column": survey.plan.time_column,
        "times": survey.times.description,
        **source.notes,
        "columns": columns,
    }
