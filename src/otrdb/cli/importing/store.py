"""The second pass: reads again what was found good, and stores it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.cli.importing.cells import read_values
from otrdb.cli.importing.rows import RowReader

if TYPE_CHECKING:
    from otrdb.cli.importing.cells import CellRules, Prepared, Values
    from otrdb.cli.importing.plan import Target
    from otrdb.cli.importing.survey import Survey
    from otrdb.cli.progress import Advance
    from otrdb.interface import ArchiveLike, StreamLike
    from otrdb.model import Int64Array, MergeLike


def store(archive: ArchiveLike, survey: Survey, cells: CellRules, merge: MergeLike, advance: Advance) -> None:
    """Gives the points of a file to its streams, each batch of rows atomic over all of them."""
    streams = {
        name: _stream(archive, target) for name, target in survey.plan.targets.items() if target.wanted
    }
    for rows in RowReader(survey.plan, survey.times, cells, _take).read():
        batch: dict[StreamLike, tuple[Int64Array, object]] = {}
        for name, stream in streams.items():
            stored = rows.stored(name)
            if stored.any():
                batch[stream] = rows.times[stored], rows.values[name].values[stored]
        if batch:
            archive.insert(batch, merge=merge)
        advance(rows.done)


def _stream(archive: ArchiveLike, target: Target) -> StreamLike:
    """The stream of a target, made if it is not there."""
    if target.uuid is not None:
        return archive.stream(target.uuid)
    stream = archive.create(
        target.collection,
        kind=target.kind,
        tags=target.tags,
        annotations=target.annotations,
        uuid=target.given,
    )
    target.uuid = stream.uuid
    return stream


def _take(target: Target, cells: Prepared) -> Values:
    return read_values(cells, target.kind, lenient=target.lenient)
