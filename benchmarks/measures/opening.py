"""Opening: how long until an archive can be asked, closed properly before or left as a crash leaves it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.asking import milliseconds
from benchmarks.contenders import TREE
from benchmarks.context import STREAM, Context
from benchmarks.timing import seconds_of
from benchmarks.workload import sensor

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.contenders import Contender

NAME = "opening"
_OPENS = 5
_BATCHES = 100
_BATCH = 100


def run(context: Context) -> None:
    """Everyone after a proper close; the tree also with 10,000 acknowledged points in no commit yet."""
    for contender in context.contenders:
        stored = context.main(contender)
        spent = [_open(contender, stored.path) for _ in range(_OPENS)]
        _keep(context, contender, spent, points=stored.points, closed="properly")
        if contender.name == TREE:
            spent = _after_crash(context, contender)
            _keep(context, contender, spent, points=_BATCHES * _BATCH, closed="by a crash")


def _keep(context: Context, contender: Contender, seconds: list[float], **case: float | str) -> None:
    context.figures.add(NAME, "open", contender.name, "ms", milliseconds(seconds), **case)


def _open(contender: Contender, path: Path) -> float:
    opened = []
    seconds = seconds_of(lambda: opened.append(contender.open(path)))
    opened[0].close()
    return seconds


def _after_crash(context: Context, contender: Contender) -> list[float]:
    """Copies of an archive that is still open: what a power cut would have left."""
    path = context.fresh(contender.name)
    archive = contender.open(path)
    stream = archive.create(STREAM)
    for batch in sensor().batches(_BATCHES * _BATCH, _BATCH):
        stream.insert(*batch)
    copies = [context.fresh("crashed") for _ in range(_OPENS)]
    for copy in copies:
        shutil.copytree(path, copy)
    archive.close()
    return [_open(contender, copy) for copy in copies]
