"""Inspection: what the files of an archive hold, byte for byte and in words, whether they are sound or not.

Nothing is opened for writing, no catalog is needed, and damage is shown instead of refused: this is the tool
for the day on which an archive does not open.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otrdb import tree
from otrdb.closing import Closing
from otrdb.errors import (
    Damaged,
    InvalidArgument,
    NoSuchStream,
    NotAnArchive,
    UnsupportedFormat,
    VersionNotAvailable,
)
from otrdb.sections import Dump, Section, taken_apart
from otrdb.storage.blocks import BLOCK_HEADER, HEADER_BYTES, NOWHERE, parse_block
from otrdb.storage.describe import describe_group, describe_record
from otrdb.storage.directory import Directory
from otrdb.storage.groups import GROUP_RECORD, GROUP_TYPE
from otrdb.storage.headers import JOURNAL_HEADER, SEGMENT_HEADER, JournalHeader, SegmentHeader
from otrdb.storage.journal_files import JOURNAL_NAMES
from otrdb.storage.journal_records import RECORD_HEADER, unseal
from otrdb.storage.journal_scan import sound_records
from otrdb.storage.medium import read_what_can_be
from otrdb.storage.records import Committed, Obliterated, PropertiesSet, StreamCreated, decode
from otrdb.storage.segment_files import SEGMENT_NAMES, SegmentFiles
from otrdb.storage.segments import SegmentStore
from otrdb.storage.walk import Walk

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from otrdb.layout import Layout
    from otrdb.storage.blocks import Address, Block
    from otrdb.storage.groups import GroupInfo
    from otrdb.storage.medium import File
    from otrdb.storage.records import Entry

_NO_SENSE: Final = (Damaged, UnsupportedFormat, struct.error, ValueError, IndexError, KeyError)
"""What taking bytes apart may end with that are not what they should be."""


class Inspection(Closing):
    """The files of an archive, looked at without opening it. A context manager; made by `otrdb.inspect`.

    Works beside a writer, on an archive that does not open, and on single files of one.

    Example:
        >>> import otrdb, tempfile
        >>> path = tempfile.mkdtemp()
        >>> with otrdb.open(path) as db:
        ...     _ = db.create("plant").insert([1, 2], [0.5, 1.0])
        ...     db.flush()
        >>> with otrdb.inspect(path) as files:
        ...     [block["type"] for block in files.segment(1)]
        ...     files.block(*files.root("plant")).title
        ['group record', 'leaf', 'node', 'group record']
        'block 1:255: node'
    """

    def __init__(self, directory: Path) -> None:
        self._medium = Directory(directory, readonly=True)
        self._files = SegmentFiles(self._medium)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()

    def files(self) -> list[dict[str, Any]]:
        """Name, bytes and header fields of every segment and journal file; `sound` tells of the header."""
        names = self._medium.list()
        segments = [self._file(number, SEGMENT_NAMES.name(number)) for number in SEGMENT_NAMES.numbers(names)]
        return segments + [
            self._file(number, JOURNAL_NAMES.name(number)) for number in JOURNAL_NAMES.numbers(names)
        ]

    def _file(self, number: int, name: str) -> dict[str, Any]:
        file = self._medium.open(name)
        layout, parse = _HEADERS[name.partition("-")[0]]
        data, _ = read_what_can_be(file, 0, layout.size)
        section = taken_apart(name, layout, data.ljust(layout.size, b"\0"), offset=0)
        return {
            "file": name,
            "bytes": file.size(),
            "sound": _says(parse, data, name, number),
            **section.plain(),
        }

    def segment(self, number: int) -> Iterator[dict[str, Any]]:
        """The blocks of a segment, in order: offset, length, head, type, whether header and head are `sound`,
        the times ``[start, end)`` of a block of a tree, the sequence of a group record.

        Where a block is damaged the next sound one is looked for, and the gap is one row. One read a block.
        """
        size = self._segment(number).size()
        offset = SEGMENT_HEADER.size
        while offset < size:
            block = self._block(number, offset)
            following = offset + HEADER_BYTES + block.length if block else self._resumed(number, offset, size)
            yield _row(block, offset, following)
            offset = following

    def _segment(self, number: int) -> File:
        name = SEGMENT_NAMES.name(number)
        if not self._medium.exists(name):
            raise InvalidArgument(f"There is no {name}.", advice="List the files there are.")
        return self._files.file(number)

    def _block(self, number: int, offset: int) -> Block | None:
        try:
            return self._files.block(number, offset)
        except Damaged:
            return None

    def _resumed(self, number: int, offset: int, size: int) -> int:
        """Where to go on behind a damaged block.

        That is behind the length it claims, if lengths claimed from there on lead to a sound one or to the
        end; or else at the next group that is found.
        """
        claimed = self._claimed(number, offset, size)
        at = claimed
        while at is not None:
            if at == size or self._block(number, at):
                return claimed or size
            at = self._claimed(number, at, size)
        met = next(Walk(self._files).records(number, offset), None)
        if met is None:
            return size
        info = met.record.info
        return info.start if info.start > offset else info.address.offset

    def _claimed(self, number: int, offset: int, size: int) -> int | None:
        """Where the block behind begins by what the header at ``offset`` says, if that is within the file."""
        data, _ = read_what_can_be(self._files.file(number), offset, HEADER_BYTES)
        if len(data) < HEADER_BYTES:
            return None
        end: int = offset + HEADER_BYTES + BLOCK_HEADER.named(BLOCK_HEADER.unpack_from(data))["length"]
        return end if end <= size else None

    def block(self, segment: int, offset: int, *, points: bool = False) -> Dump:
        """The block whose header begins at ``offset`` of a ``segment``; with ``points`` those of a leaf, as
        far as its pages are sound.
        """
        file = self._segment(segment)
        data, _ = read_what_can_be(file, offset, HEADER_BYTES)
        if len(data) < HEADER_BYTES or offset < SEGMENT_HEADER.size:
            raise InvalidArgument(f"No block begins at byte {offset:,} of segment {segment}.")
        header = taken_apart("block header", BLOCK_HEADER, data, offset=offset)
        fields = header.records[0]
        payload, _ = read_what_can_be(file, offset + HEADER_BYTES, min(fields["length"], file.size()))
        sound = parse_block(data + payload[: fields["head"]]) is not None
        if not sound:
            header = header._replace(note="header and head are not what was written")
        head, body = payload[: fields["head"]], payload[fields["head"] :]
        title = f"block {segment}:{offset}: {_name(fields['type'])}"
        parts = _described(fields["type"], head, body, offset + HEADER_BYTES, proved=sound, points=points)
        sections, whole = _collected(parts)
        noted = any(section.note for section in sections)
        return Dump(title, sound and whole and not noted, [header, *sections])

    def journal(self, number: int) -> Iterator[dict[str, Any]]:
        """The records of a journal file, in order: the fields of their headers, and how many parts and points
        they have. A gap before a later sound record is one row that is not `sound`.
        """
        data = self._journal(number)
        at = JOURNAL_HEADER.size
        found = sound_records(data, number, at - 8)
        for record in found:
            if record.at > at:
                yield _record_row(data, at, record.at, sound=False)
            yield _record_row(data, record.at, record.end, sound=True)
            at = record.end

    def _journal(self, number: int) -> memoryview:
        name = JOURNAL_NAMES.name(number)
        if not self._medium.exists(name):
            raise InvalidArgument(f"There is no {name}.", advice="List the files there are.")
        file = self._medium.open(name)
        return memoryview(read_what_can_be(file, 0, file.size())[0])

    def record(self, number: int, offset: int) -> Dump:
        """The journal record at ``offset`` of journal file ``number``."""
        data = self._journal(number)
        if offset < JOURNAL_HEADER.size or offset + RECORD_HEADER.size > len(data):
            raise InvalidArgument(f"No record begins at byte {offset:,} of journal file {number}.")
        sound = unseal(data, offset, number) is not None
        sections, whole = _collected(describe_record(data, offset, offset))
        if not sound:
            sections[0] = sections[0]._replace(note="the record is not what was written to this file")
        return Dump(f"record {number}:{offset} of the journal", sound and whole, sections)

    def with_lsn(self, lsn: int) -> tuple[int, int]:
        """Journal file and offset of the first record with that log sequence number."""
        for number in JOURNAL_NAMES.numbers(self._medium.list()):
            for record in sound_records(self._journal(number), number, JOURNAL_HEADER.size - 8):
                if record.lsn == lsn:
                    return number, record.at
        raise InvalidArgument(f"The journal has no record with LSN {lsn}.", advice="List a file's records.")

    def root(self, stream: str, version: int | None = None) -> tuple[int, int]:
        """Segment and offset of the root of a committed ``version``, by default the newest.

        ``stream`` is a uuid, or collection and name with a slash between them. Reads all group records.
        Raises `NoSuchStream`, `VersionNotAvailable`; `Damaged` if nothing says whose archive this is.
        """
        names = _Names()
        roots: dict[int, dict[int, Address]] = {}
        for _, entries in self._groups():
            for entry in entries:
                names.take(entry)
                if isinstance(entry, Committed):
                    roots.setdefault(entry.number, {})[entry.version] = entry.root
        known = roots.get(names.find(stream), {})
        root = known.get(max(known, default=0) if version is None else version, NOWHERE)
        if root == NOWHERE:
            raise VersionNotAvailable(f"Stream {stream} has no root of that version.", advice="")
        return root.segment, root.offset

    def _groups(self) -> Iterator[tuple[GroupInfo, list[Entry]]]:
        store = SegmentStore(self._medium)
        try:
            for found in store.scan(report=lambda _: None):
                yield found.info, decode(found.payload)
        finally:
            store.close()


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Look at the files of the archive at ``path`` as they are, damaged or not. Nothing is changed.

    `NotAnArchive` if no segment and no journal file is there.

    Example:
        >>> import otrdb, tempfile
        >>> path = tempfile.mkdtemp()
        >>> otrdb.open(path).close()
        >>> with otrdb.inspect(path) as files:
        ...     [file["file"] for file in files.files()]
        ['segment-00000001.otr']
    """
    directory = Path(path)
    names = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    if not SEGMENT_NAMES.numbers(names) and not JOURNAL_NAMES.numbers(names):
        raise NotAnArchive(f"There is no archive in {directory}.")
    return Inspection(directory)


class _Names:
    """The streams by name, as entries tell of them."""

    def __init__(self) -> None:
        self._uuids: dict[str, int] = {}
        self._paths: dict[int, str] = {}

    def take(self, entry: Entry) -> None:
        if isinstance(entry, StreamCreated):
            self._uuids[str(entry.uuid)] = entry.number
        if isinstance(entry, (StreamCreated, PropertiesSet)):
            name = entry.tags.get("name", "")
            self._paths[entry.number] = f"{entry.collection}/{name}" if name else entry.collection
        if isinstance(entry, Obliterated):
            self._paths.pop(entry.number, None)

    def find(self, stream: str) -> int:
        """The number of a stream."""
        found = [number for number, path in self._paths.items() if path == stream]
        if len(found) == 1:
            return found[0]
        if stream in self._uuids:
            return self._uuids[stream]
        raise NoSuchStream(f"{len(found) or 'No'} streams are called {stream}.", advice="Give a uuid.")


_HEADERS: Final[dict[str, tuple[Layout, Callable[[bytes, str], SegmentHeader | JournalHeader | None]]]] = {
    "segment": (SEGMENT_HEADER, SegmentHeader.parse),
    "journal": (JOURNAL_HEADER, JournalHeader.parse),
}


def _says(
    parse: Callable[[bytes, str], SegmentHeader | JournalHeader | None], data: bytes, name: str, number: int
) -> bool:
    try:
        header = parse(data, name)
    except UnsupportedFormat:  # which its checksum vouches for
        return True
    return header is not None and header.number == number


def _name(block_type: int) -> str:
    if block_type == GROUP_TYPE:
        return "group record"
    return tree.NAMES.get(block_type, f"block of type {block_type}")


def _row(block: Block | None, offset: int, following: int) -> dict[str, Any]:
    empty = {"offset": offset, "bytes": following - offset, "type": None, "head": None, "sound": False}
    nothing = {"start": None, "end": None, "sequence": None}
    if block is None:
        return {**empty, **nothing}
    row = {**empty, "type": _name(block.type), "head": len(block.head), "sound": True, **nothing}
    times = tree.interval(block.type, block.head)
    if times is not None:
        row["start"], row["end"] = times
    if block.type == GROUP_TYPE and len(block.head) >= GROUP_RECORD.size:
        row["sequence"] = GROUP_RECORD.named(GROUP_RECORD.unpack_from(block.head))["sequence"]
    return row


def _record_row(data: memoryview, at: int, end: int, *, sound: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"offset": at, "bytes": end - at, "sound": sound}
    if not sound:
        return row | dict.fromkeys(("type", "policy", "lsn", "durable", "parts", "points"))
    header, *payload = describe_record(data, at, at)
    fields = header.records[0]
    parts, points = (len(section.records) for section in payload) if payload else (0, 0)
    words = {name: header.named(name, fields[name]) for name in ("type", "policy")}
    numbers = {name: fields[name] for name in ("lsn", "durable")}
    return row | words | numbers | {"parts": parts, "points": points}


def _described(
    block_type: int, head: bytes, body: bytes, offset: int, *, proved: bool, points: bool
) -> Iterator[Section]:
    if block_type == GROUP_TYPE:
        return describe_group(head, offset)
    if block_type in tree.NAMES:
        return tree.describe(block_type, head, body, offset, proved=proved, points=points)
    note = "of no type that this release knows"
    return iter([Section("head", offset, [{"hex": head[:256].hex()}], note=note)])


def _collected(sections: Iterator[Section]) -> tuple[list[Section], bool]:
    """The sections up to where taking apart fails, and whether all of it went well."""
    found: list[Section] = []
    try:
        found.extend(sections)
    except _NO_SENSE as error:
        text = f"cannot be taken apart further: {getattr(error, 'message', error)}"
        found.append(Section("rest", 0, [], note=text))
        return found, False
    return found, True
