"""The part of a check that holds the catalog against the segments, of which it is an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb import tree
from otrdb.errors import Damaged
from otrdb.results import Finding
from otrdb.storage.catalog import Catalog
from otrdb.storage.freed import Freed

from .findings import found_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.storage.scan import Found

    from .core import Core

_ADVICE = "Rebuild it with repair."


class Rebuilt:
    """A second catalog, in memory, made from the groups as a check meets them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._made = Catalog(None, core.segments.archive)
        # An archive that reads follows the writer under its lock; one that writes changes in commits.
        self._still = core.lock if core.journal is None else core.committing

    def take(self, found: Found) -> None:
        """Apply the next group, unless the archive itself has not come so far."""
        freed = self._core.segments.freed
        follows = not freed.without(self._made.position.sequence + 1, found.info.sequence - 1)
        if follows and found.info.sequence <= self._core.catalog.position.sequence:
            self._made.apply(found.payload, found.info)

    def differences(self) -> Iterator[Finding]:
        """What the archive's catalog says differently. Only if no group is lost."""
        for state in list(self._core.streams):
            with self._still:
                self._catch_up()
                same = self._core.catalog.versions(state.number) == self._made.versions(state.number)
            if not same:
                text = f"The catalog and the segments differ in the versions of the stream. {_ADVICE}"
                yield found_in(state, Finding(Damaged.code, text, None, *tree.EVERYTHING))
        with self._still:
            self._catch_up()
            same = _rest(self._core.catalog) == _rest(self._made)
        if not same:
            yield Finding(Damaged.code, f"The catalog differs from the segments. {_ADVICE}")

    def close(self) -> None:
        """Let go of it."""
        self._made.close()

    def _catch_up(self) -> None:
        for found in self._core.segments.scan(self._made.position, report=lambda _: None):
            self.take(found)


def _rest(catalog: Catalog) -> tuple[object, ...]:
    """What a catalog says besides older versions."""
    freed = list(Freed(catalog.freed()))
    return catalog.streams(), catalog.tombstones(), catalog.snapshots(), catalog.settings(), freed
