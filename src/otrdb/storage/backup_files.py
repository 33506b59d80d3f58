"""Copying the segments of an archive to a backup, a part of each once, and proving what was copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from crc32c import crc32c

from otrdb.errors import Damaged, NotABackup, Outdated
from otrdb.storage.backup_manifest import MANIFEST_NAME, MANIFEST_PART, Manifest, SegmentCopy
from otrdb.storage.extract import Extract
from otrdb.storage.groups import GroupRecord, Position
from otrdb.storage.headers import SEGMENT_HEADER
from otrdb.storage.journal_files import JOURNAL_NAMES
from otrdb.storage.medium import CHUNK, read_what_can_be
from otrdb.storage.scan import Scan
from otrdb.storage.segment_files import SEGMENT_NAMES, SegmentFiles, damaged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.storage.freed import Freed
    from otrdb.storage.headers import SegmentHeader
    from otrdb.storage.medium import Data, File, Medium

Advance: TypeAlias = Callable[[int], None]
"""Is told how many more bytes have been copied."""

BACKUP_FILES: Final = frozenset({MANIFEST_NAME, MANIFEST_PART, "writer.lock"})
"""What the directory of a backup may hold besides segments and a journal file."""

_ELSEWHERE: Final = "Back up to a new directory, and keep this one."


class Piece(NamedTuple):
    """A part of a segment that is to be copied: bytes ``[begin, size)``; `crc` and `record` are of those
    before ``begin``.
    """

    number: int
    begin: int
    size: int
    crc: int
    record: int

    @property
    def missing(self) -> int:
        """How many bytes that is."""
        return self.size - self.begin


def plan(
    source: Medium, position: Position, target: Medium, before: Manifest, freed: Freed
) -> tuple[list[Piece], list[Damaged]]:
    """What of the segments through ``position`` the backup ``before`` does not hold yet.

    Also damage of the archive that was met. A segment counts as held if the last group record of the part
    that was copied is the same in both: it carries the checksum of its group and the group's number in the
    archive's history. Costs two small reads a segment.

    Raises:
        NotABackup: the backup is of another history of this archive.
        Damaged: the backup is not what it was, or has what the archive has no more.
    """
    held = {segment.number: segment for segment in before.segments}
    sizes = _sizes(source, position)
    lost = [number for number in sorted(held.keys() - sizes.keys()) if number not in freed]
    if lost:
        raise Damaged(
            f"{SEGMENT_NAMES.name(lost[0])} is in the backup, and the archive has lost it.", advice=_ELSEWHERE
        )
    met: list[Damaged] = []
    pieces = []
    for number, size in sizes.items():
        copy = held.get(number, SegmentCopy(number, 0, 0, 0))
        if copy.size:
            _check_same(SegmentFiles(source), SegmentFiles(Extract(target, before.sizes)), copy, size, met)
        pieces.append(Piece(number, copy.size, size, copy.crc, copy.record))
    return pieces, met


def copy_pieces(
    source: Medium, target: Medium, pieces: list[Piece], advance: Advance
) -> tuple[tuple[SegmentCopy, ...], list[Damaged]]:
    """Copy parts of segments, durable when this returns; the rows they make, and what of them the archive's
    disk does not give.
    """
    rows, unreadable = [], list[Damaged]()
    for piece in pieces:
        crc, bad = _copy(source, target, piece, advance) if piece.missing else (piece.crc, [])
        rows.append(SegmentCopy(piece.number, piece.size, crc, piece.record))
        unreadable += [damaged("cannot be read", piece.number, offset) for offset in bad]
    target.sync_directory()
    return tuple(rows), unreadable


def _copy(source: Medium, target: Medium, piece: Piece, advance: Advance) -> tuple[int, list[int]]:
    """The checksum of the segment then, and where it cannot be read: zeros stand there in the backup.

    What stands behind the part that the backup holds was left by a backup that was cut off, and goes.
    """
    name, crc, bad = SEGMENT_NAMES.name(piece.number), piece.crc, list[int]()
    original, file = _original(source, name), target.open(name, create=True)
    file.truncate(piece.begin)  # I15: nothing before it is touched
    for offset in range(piece.begin, piece.size, CHUNK):
        data, places = read_what_can_be(original, offset, min(CHUNK, piece.size - offset))
        file.append(data)
        crc = crc32c(data, crc)
        bad += places
        advance(len(data))
    file.sync()
    original.close()
    file.close()
    return crc, bad


def write_whole(target: Medium, name: str, pieces: Iterable[Data]) -> tuple[int, int]:
    """Make a file of these bytes, synced; returns its size and its checksum."""
    file, crc = target.open(name, create=True), 0
    file.truncate(0)
    for data in pieces:
        file.append(data)
        crc = crc32c(data, crc)
    file.sync()
    size = file.size()
    file.close()
    return size, crc


def prove(
    target: Medium, before: Manifest, manifest: Manifest, freed: Freed
) -> tuple[Manifest, list[Damaged]]:
    """Read back what came to a backup since ``before``: the manifest with its records, and damage it holds.

    Every new group is proved by the checksum in its record, every block's head by its own. Damage that is
    in the archive as well is returned; the journal file is proved by its checksum.

    Raises:
        Damaged: the backup's disk does not hold what was written to it.
    """
    files = SegmentFiles(Extract(target, manifest.sizes))
    files.archive = manifest.archive
    met: list[Damaged] = []
    records = {segment.number: segment.record for segment in manifest.segments}
    newest = before.sequence
    for found in Scan(files, _proved(before, manifest), met.append, deep=True, freed=freed):
        newest = found.info.sequence
        records[found.info.address.segment] = found.info.address.offset
    files.close()
    if newest != manifest.sequence:
        met.append(damaged(f"should end with group {manifest.sequence}", *manifest.position[1:]))
    changed = {segment.name for segment in manifest.segments} if met else set()
    check_files(target, manifest, changed | {manifest.journal_name})
    rows = tuple(segment._replace(record=records[segment.number]) for segment in manifest.segments)
    return manifest._replace(segments=rows), met


def _proved(before: Manifest, manifest: Manifest) -> Position:
    """Through where a backup was proved before; the segment that is in may have been given back."""
    sequence, segment, _ = before.position
    there = [each.number for each in manifest.segments if each.number >= segment]
    if not there or there[0] == segment:
        return before.position
    return Position(sequence, there[0], SEGMENT_HEADER.size)


def check_files(medium: Medium, manifest: Manifest, names: set[str]) -> None:
    """`Damaged` unless these files of a backup have the checksums of its manifest. Reads all of them."""
    for name in sorted(names):
        file = medium.open(name)
        size, crc = manifest.sizes[name], 0
        for offset in range(0, size, CHUNK):
            data, bad = read_what_can_be(file, offset, min(CHUNK, size - offset))
            crc = crc32c(data, crc)
            if bad:
                raise not_as_written(name)
        file.close()
        if crc != manifest.checksums[name]:
            raise not_as_written(name)


def copy_backup(source: Medium, manifest: Manifest, target: Medium, advance: Advance) -> None:
    """Copy the files of a backup to an empty directory, read them back, and prove both by the manifest.

    Raises:
        Damaged: the backup is not what was written, or the copy is not.
    """
    for name, size in manifest.sizes.items():
        if not source.exists(name):
            raise not_as_written(name)
        original, copy = source.open(name), target.open(name, create=True)
        for offset in range(0, size, CHUNK):
            data, _ = read_what_can_be(original, offset, min(CHUNK, size - offset))
            copy.append(data)
            advance(len(data))
        copy.sync()
        original.close()
        copy.close()
    target.sync_directory()
    check_files(target, manifest, set(manifest.sizes))


def missing(medium: Medium, manifest: Manifest) -> list[Damaged]:
    """What is wrong with the files of a backup as far as sizes tell, and the checksum of the journal file."""
    short = [
        name
        for name, size in manifest.sizes.items()
        if not medium.exists(name) or medium.open(name).size() < size
    ]
    met = [Damaged(f"{name} of the backup is missing or cut off.") for name in short]
    if manifest.journal_name not in short:
        try:
            check_files(medium, manifest, {manifest.journal_name})
        except Damaged as damage:
            met.append(damage)
    return met


def remove_others(medium: Medium, manifest: Manifest) -> None:
    """Delete segments and journal files that are no part of the backup: left by earlier ones."""
    names = medium.list()
    ours = [
        *map(SEGMENT_NAMES.name, SEGMENT_NAMES.numbers(names)),
        *map(JOURNAL_NAMES.name, JOURNAL_NAMES.numbers(names)),
    ]
    for name in ours:
        if name not in manifest.sizes:
            medium.delete(name)


def not_as_written(name: str) -> Damaged:
    """A file of a backup, or of a copy of one, is damaged."""
    return Damaged(
        f"{name} of the backup is not what was written.",
        advice="Check the disk; streams whose blocks are sound can still be restored one by one.",
    )


def _sizes(source: Medium, position: Position) -> dict[int, int]:
    """The segments through ``position`` and how much of each is before it."""
    numbers = [n for n in SEGMENT_NAMES.numbers(source.list()) if n <= position.segment]
    sizes = {number: _original(source, SEGMENT_NAMES.name(number)).size() for number in numbers}
    if position.segment in sizes:
        sizes[position.segment] = min(position.offset, sizes[position.segment])
    return sizes


def _original(source: Medium, name: str) -> File:
    try:
        return source.open(name)
    except FileNotFoundError as error:
        raise Outdated(f"{name} has been given back by the writer meanwhile.") from error


def _check_same(
    archive: SegmentFiles, backup: SegmentFiles, copy: SegmentCopy, size: int, met: list[Damaged]
) -> None:
    """Whether the archive's segment of ``size`` bytes goes on from the copy in the backup."""
    theirs, ours = _witness(backup, copy), _witness(archive, copy)
    if theirs is None:
        raise Damaged(f"{copy.name} of the backup is not what was written.", advice=_ELSEWHERE)
    if size < copy.size or (ours is not None and ours != theirs):
        raise NotABackup(
            f"{copy.name} of the backup is of another history: the archive was restored or replaced since.",
            advice=_ELSEWHERE,
        )
    if ours is None:
        met.append(damaged("is not what was backed up earlier", copy.number, copy.record))


def _witness(files: SegmentFiles, copy: SegmentCopy) -> GroupRecord | SegmentHeader | None:
    """The last group record of a copy, or else its header; None if it is not sound."""
    try:
        if not copy.record:
            return files.header(copy.number)
        block = files.block(copy.number, copy.record)
        return GroupRecord.parse(block, copy.number, copy.record) if block else None
    except Damaged:
        return None
    finally:
        files.close()
