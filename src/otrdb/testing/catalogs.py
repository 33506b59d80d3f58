"""Catalogs to open an archive with: the one there is, older ones, torn ones, and none."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAGE = 4096
"""Bytes SQLite writes at a time."""


class Catalogs:
    """Keeps what an archive's catalog was from time to time; `live` is where that archive has it.

    The catalog is an index of the segments, so whatever becomes of it must be found out, and do no harm.
    """

    def __init__(self, directory: Path) -> None:
        self.live = directory / "catalog.sqlite"
        self._directory = directory
        self._given = 0
        self._seen: list[bytes] = []

    def note(self) -> None:
        """Remember what the catalog is now."""
        data = self.live.read_bytes() if self.live.exists() else b""
        if data and (not self._seen or self._seen[-1] != data):
            self._seen.append(data)

    def change(self, how: str) -> None:
        """Let the catalog of a closed archive be "kept", "older" or "gone"."""
        self.note()
        if how == "gone":
            self.live.unlink()
        elif how == "older" and len(self._seen) > 1:
            self.live.write_bytes(self._seen[len(self._seen) // 2])

    @contextmanager
    def some(self, seed: int) -> Iterator[Path | None]:
        """A catalog to open what a power cut left with: current, older, torn, gone or in memory only."""
        rng = random.Random(seed)
        self.note()
        choice = rng.randrange(8)
        if choice < 3:
            yield None
            return
        data = b"" if choice == 3 or not self._seen else self._seen[-1]
        if choice in (4, 5) and self._seen:
            data = rng.choice(self._seen)
        if choice == 6 and self._seen:
            data = _torn(rng, rng.choice(self._seen), data)
        self._given += 1
        path = self._directory / f"other-{self._given}.sqlite"
        if data:
            path.write_bytes(data)
        try:
            yield path
        finally:
            for made in (path, path.with_name(f"{path.name}-journal")):
                made.unlink(missing_ok=True)


def _torn(rng: random.Random, old: bytes, new: bytes) -> bytes:
    """Some pages of one catalog, the others of another; at times the end is missing."""
    pages = [rng.choice((old, new))[at : at + _PAGE] for at in range(0, len(new), _PAGE)]
    return b"".join(pages)[: None if rng.random() < 0.7 else rng.randrange(len(new))]
