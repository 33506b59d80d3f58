"""What a file gives: batches of rows, with the line each row is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from otrdb.cli.importing.origins import Origin
    from otrdb.model import Int64Array


class Malformed(NamedTuple):
    """A line that cannot be cut into the columns of its file."""

    line: int
    reason: str


class Batch(NamedTuple):
    """Some rows. `lines` int64[n] says where each row is, and `done` how far it brings a reader, in
    `Source.size`."""

    columns: Mapping[str, pa.Array]
    lines: Int64Array
    malformed: Sequence[Malformed]
    done: int


class Source(Protocol):
    """A file with named columns. It can be read more than once."""

    path: Path
    names: list[str]
    size: int
    row_word: str

    @property
    def notes(self) -> dict[str, str]:
        """What was found out about the file, for its user to see."""
        ...

    @property
    def origins(self) -> Mapping[str, Origin]:
        """By column, the stream it was exported from, where the file says so."""
        ...

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """The Arrow type of each column."""
        ...

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, with these columns."""
        ...


def check_names(path: Path, names: Sequence[str], advice: str) -> list[str]:
    """`names` with blanks stripped and empty ones numbered; InvalidArgument if two are equal."""
    given = [name.strip() or f"column{position}" for position, name in enumerate(names, 1)]
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise InvalidArgument(f"{path}: two columns are called {twice!r}.", advice=advice)
    return given
