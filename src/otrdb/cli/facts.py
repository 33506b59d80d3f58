"""Nested facts, as `info` and `stats` have them: lines for people, one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def print_facts(facts: Mapping[str, Any], as_json: bool) -> None:
    """Prints `facts`, nested names joined by dots where the form is lines."""
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False, default=str))
        return
    lines = list(_flat(facts))
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        click.echo(f"{name.ljust(width)}  {value}")


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
