"""An import from beginning to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otrdb.cli.importing.csv_source import CsvOptions, CsvSource
from otrdb.cli.importing.parquet_source import ParquetSource
from otrdb.cli.importing.plan import Planner, PlanRules, check_mentioned
from otrdb.cli.importing.store import store
from otrdb.cli.importing.survey import Survey, SurveyRules, survey
from otrdb.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otrdb.cli.importing.batches import Source
    from otrdb.interface import ArchiveLike
    from otrdb.model import MergeLike

_PARQUET: Final = frozenset({".parquet", ".pq"})


@dataclass(frozen=True, slots=True)
class Job:
    """How files are to be read, and where their columns go."""

    csv: CsvOptions
    plan: PlanRules
    rules: SurveyRules

    def survey(self, files: Sequence[Path], archive: ArchiveLike | None) -> list[Survey]:
        """Reads all files and stores nothing. `archive` tells which streams are there; None: there is no
        archive."""
        sources = [self._source(path) for path in files]
        check_mentioned(sources, self.plan)
        planner = Planner(archive, self.plan)
        with progress("Reading", sum(source.size for source in sources)) as advance:
            return [survey(planner.plan(source), self.rules, advance) for source in sources]

    def store(self, surveys: Sequence[Survey], archive: ArchiveLike, merge: MergeLike) -> None:
        """Stores what the surveys found."""
        with progress("Storing", sum(survey.plan.source.size for survey in surveys)) as advance:
            for survey in surveys:
                store(archive, survey, self.rules.cells, merge, advance)

    def _source(self, path: Path) -> Source:
        return ParquetSource(path) if path.suffix.lower() in _PARQUET else CsvSource(path, self.csv)
