"""Following a writer: an archive that is open for reading sees every record another process has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import Outdated
from otrdb.storage.journal_files import JournalFiles
from otrdb.storage.journal_reader import JournalReader
from otrdb.storage.records import decode

from .core import now_ns
from .findings import damage_found, records_lost
from .loading import Loader
from .replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb.errors import Damaged
    from otrdb.storage.medium import Medium

    from .core import Core


class Follower:
    """Brings a core that only reads up to date with the files. Writes nothing and holds no lock."""

    def __init__(self, core: Core, medium: Medium, renew: Callable[[int], None]) -> None:
        self._core = core
        self._renew = renew
        self._outdated: Outdated | None = None
        self._journal = JournalReader(JournalFiles(medium, core.segments.archive, 0, spares=0))

    def refresh(self) -> None:
        """Take what was written since the last time: all streams as they were at one LSN.

        A commit syncs the journal through every LSN in it. So if a look at the segments finds nothing new,
        the journal as read before that look holds all that the groups seen earlier do not, and no batch is
        seen in part.
        """
        with self._core.lock:
            if self._outdated is not None:
                raise self._outdated
            began = now_ns()
            while self._look():
                if not self._core.moments and not self._core.keeping:
                    self._renew(began)
                began = now_ns()

    def _look(self) -> bool:
        """Take what is new; returns whether there were new groups.

        The journal is read before the segments: what leaves the journal meanwhile is then in a group that is
        seen. Its records are taken after the groups, which may create their streams.
        """
        core, loader = self._core, Loader(self._core)
        position = core.catalog.position
        records = list(self._journal.records(lambda lost: core.findings.append(records_lost(core, lost))))
        committed = False
        met: list[Damaged] = []
        for found in core.segments.scan(position, report=met.append):
            loader.take(decode(found.payload))
            core.catalog.apply(found.payload, found.info)
            committed = True
        loader.finish()
        if met and core.segments.freed.last_group > position.sequence:
            self._outdated = Outdated("The writer has given back segments that were not read in time.")
            raise self._outdated
        for damage in met:
            self._report(damage)
        for record in records:
            replay(core, record)
        if committed:
            core.pending.recount(core.streams)
        return committed

    def _report(self, damage: Damaged) -> None:
        finding = damage_found(damage)
        if finding not in self._core.findings:  # it is met again at every look
            self._core.findings.append(finding)
