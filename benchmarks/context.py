"""What the measures share: the profile, who takes part, the figures, and archives that were filled before."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from .figures import Figures
from .workload import START, Workload, sensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .contenders import Contender, MeasuredArchive, MeasuredStream
    from .profiles import Profile

STREAM = "bench/stream"


@dataclass(frozen=True)
class Stored:
    """A closed archive whose one stream holds the first points of a workload."""

    contender: Contender
    path: Path
    workload: Workload
    points: int

    @property
    def start(self) -> int:
        """Start of the range the points lie in."""
        return START

    @property
    def end(self) -> int:
        """End of the range the points lie in."""
        return self.workload.end(self.points)

    def remove(self) -> None:
        """Deletes the archive."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def opened(self) -> Iterator[tuple[MeasuredArchive, MeasuredStream]]:
        """The archive and its stream, freshly opened."""
        archive = self.contender.open(self.path)
        try:
            yield archive, archive.stream(STREAM)
        finally:
            archive.close()


@dataclass
class Context:
    """One run."""

    profile: Profile
    directory: Path
    contenders: list[Contender]
    figures: Figures = field(default_factory=Figures)
    drop_caches: bool = False
    """Whether the page cache of the whole machine may be dropped."""
    _stored: dict[tuple[str, str, float], Stored] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def fresh(self, name: str) -> Path:
        """A path under which nothing is yet."""
        self.directory.mkdir(parents=True, exist_ok=True)
        return self.directory / f"{next(self._numbers)}-{name.replace(', ', '-')}.otr"

    def keep(self, stored: Stored) -> None:
        """Remember a filled archive for the measures to come."""
        self._stored[_key(stored.contender, stored.workload)] = stored

    def stored(self, contender: Contender, workload: Workload, points: int) -> Stored:
        """The archive of this workload; filled now if it was not yet."""
        found = self._stored.get(_key(contender, workload))
        if found is None:
            found = self.filled(contender, workload, self.profile.cap(contender.name, points))
            self.keep(found)
        return found

    def main(self, contender: Contender) -> Stored:
        """The large archive that is asked and changed."""
        return self.stored(contender, sensor(), self.profile.points)

    def filled(self, contender: Contender, workload: Workload, points: int) -> Stored:
        """A new archive with ``points`` points of the workload."""
        path = self.fresh(contender.name)
        archive = contender.open(path)
        stream = archive.create(STREAM, kind=workload.kind)
        for batch in workload.batches(points, self.profile.batch):
            stream.insert(*batch)
        archive.flush()
        archive.close()
        return Stored(contender, path, workload, points)

    def clean(self) -> None:
        """Deletes every archive of the run."""
        shutil.rmtree(self.directory, ignore_errors=True)


def _key(contender: Contender, workload: Workload) -> tuple[str, str, float]:
    return contender.name, workload.name, workload.rate
