"""CSV files, cut into columns of text by pyarrow's streaming reader."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from otrdb.cli.importing.batches import Batch, Malformed, check_names
from otrdb.cli.importing.sniff import sniff
from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from otrdb.cli.importing.origins import Origin
    from otrdb.export import Foreign
    from otrdb.model import Int64Array

_BLOCK: Final = 1 << 20
_SAMPLE: Final = 1 << 18
_SAMPLE_LINES: Final = 200
_WORDS: Final = {"\t": "tab", " ": "blank"}


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """What the user said about CSV files; None is found out."""

    separator: str | None = None
    header: bool | None = None
    names: tuple[str, ...] = ()
    skip_lines: int = 0
    encoding: str = "utf-8"


@dataclass(slots=True)
class CsvSource:
    """A CSV file. Its columns are text; the line of a row is counted from 1, header included."""

    path: Path
    options: CsvOptions
    row_word: str = "line"
    names: list[str] = field(init=False)
    size: int = field(init=False)
    _separator: str = field(init=False)
    _header: bool = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.path.stat().st_size
        given = self.options
        try:
            layout = sniff(self._first_lines(), given.separator, given.header)
        except InvalidArgument as error:
            error.message = f"{self.path}: {error.message}"
            raise
        self._separator, self._header = layout.separator, layout.header
        names = given.names or layout.names
        if len(names) != len(layout.names):
            raise InvalidArgument(
                f"{self.path} has {len(layout.names)} columns, and {len(names)} names were given."
            )
        self.names = check_names(self.path, names, "Name the columns with --names.")

    @property
    def notes(self) -> dict[str, str]:
        """The layout that was found."""
        separator = _WORDS.get(self._separator, f"'{self._separator}'")
        return {"separator": separator, "header": "yes" if self._header else "no"}

    @property
    def origins(self) -> Mapping[str, Origin]:
        """None: a CSV file has no room for metadata."""
        return {}

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Text, all of them."""
        return dict.fromkeys(self.names, pa.string())

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows, with these columns as text."""
        numbering = _Numbering(1 + self._lines_before())
        raw = pa.OSFile(str(self.path))
        done = 0
        for rows in self._read(raw, columns, numbering.malformed):
            position = self.size if raw.closed else raw.tell()
            cells = dict(zip(columns, rows.columns, strict=True))
            yield Batch(cells, *numbering.take(len(rows)), position - done)
            done = position
        if numbering.malformed:  # behind the last row
            none = pa.array([], pa.string())
            yield Batch(dict.fromkeys(columns, none), np.empty(0, np.int64), numbering.malformed, 0)

    def _lines_before(self) -> int:
        return self.options.skip_lines + self._header

    def _read(
        self, raw: pa.OSFile, columns: Sequence[str], malformed: list[Malformed]
    ) -> Iterator[pa.RecordBatch]:
        def remember(row: arrow_csv.InvalidRow) -> str:
            malformed.append(
                Malformed(row.number, f"{row.actual_columns} columns instead of {row.expected_columns}")
            )
            return "skip"

        try:
            yield from arrow_csv.open_csv(
                _decompressed(self.path, raw),
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,  # with threads pyarrow does not say on which line a bad row is
                    block_size=_BLOCK,
                    column_names=self.names,
                    skip_rows=self._lines_before(),
                    encoding=self.options.encoding,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._separator, ignore_empty_lines=False, invalid_row_handler=remember
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self.names, pa.string()),
                    include_columns=list(columns),
                    strings_can_be_null=False,
                ),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
            raise self._unreadable(error) from error

    def _first_lines(self) -> list[str]:
        try:
            sample = _decompressed(self.path, pa.OSFile(str(self.path))).read(_SAMPLE)
            decoder = codecs.getincrementaldecoder(self.options.encoding)()
            text = decoder.decode(sample, final=len(sample) < _SAMPLE)
        except (pa.ArrowInvalid, UnicodeDecodeError, LookupError, OSError) as error:
            raise self._unreadable(error) from error
        lines = text.removeprefix("\ufeff").splitlines()
        whole = lines[:-1] if len(sample) == _SAMPLE else lines
        return whole[self.options.skip_lines :][:_SAMPLE_LINES]

    def _unreadable(self, error: Exception) -> InvalidArgument:
        encoding = isinstance(error, UnicodeDecodeError) or "UTF8" in str(error)
        advice = "If it is no UTF-8, name its --encoding, such as latin-1." if encoding else None
        return InvalidArgument(f"{self.path} cannot be read: {error}.", advice=advice)


@dataclass(slots=True)
class _Numbering:
    """Gives rows the lines they are on. The reader runs ahead: `malformed` may hold lines behind the rows at
    hand."""

    next: int
    malformed: list[Malformed] = field(default_factory=list)

    def take(self, count: int) -> tuple[Int64Array, list[Malformed]]:
        """The lines of the next `count` rows, and the malformed ones among and before them."""
        skipped = np.array([bad.line for bad in self.malformed], dtype=np.int64)
        candidates = np.arange(self.next, self.next + count + len(skipped), dtype=np.int64)
        lines = np.setdiff1d(candidates, skipped, assume_unique=True)[:count]
        self.next = int(lines[-1]) + 1 if count else self.next
        passed = [bad for bad in self.malformed if bad.line < self.next]
        self.malformed[:] = [bad for bad in self.malformed if bad.line >= self.next]
        return lines, passed


def _decompressed(path: Path, raw: pa.OSFile) -> Foreign:
    """The text of a file, whose name says whether it is compressed."""
    suffix = path.suffix.lower().lstrip(".")
    compressions = {"gz": "gzip", "bz2": "bz2", "zst": "zstd", "lz4": "lz4"}
    return pa.CompressedInputStream(raw, compressions[suffix]) if suffix in compressions else raw
