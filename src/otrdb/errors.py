"""Every error OtrDB raises.

All are `OtrError`, so `except otrdb.OtrError` catches whatever the archive itself has to say. Each leaf also
inherits the builtin a caller would try first (`KeyError` for a missing stream, `ValueError` for a bad
argument, `OSError` for a failing disk), carries a stable `code` for logs, wire protocols and the error page
of the documentation, and ends its message with one sentence on what to do.

Codes are "OTR-" and four digits: the number BTrDB gives the same condition and one more digit, or a number
above 5000 where BTrDB has none.
"""

# ruff: noqa: N818  (an error is named by the condition it reports: `except NoSuchStream` reads as it is)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


class OtrError(Exception):
    """Root of all errors. `str(error)` is the message followed by the advice.

    Example:
        >>> str(NoSuchStream("No stream 42.", advice="List them with archive.streams()."))
        'No stream 42. List them with archive.streams().'
        >>> NoSuchStream.code
        'OTR-4040'
    """

    code: ClassVar[str] = "OTR-5999"
    default_advice: ClassVar[str] = ""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = self.default_advice if advice is None else advice

    def __str__(self) -> str:
        # KeyError prints the repr of its argument and OSError its errno: both would spoil the sentence.
        return f"{self.message} {self.advice}".rstrip()


class NoSuchStream(OtrError, KeyError):
    """No stream has that uuid, or none matches that collection and those tags."""

    code = "OTR-4040"
    default_advice = "List what there is with archive.streams()."


class NoSuchSnapshot(OtrError, KeyError):
    """No snapshot has that name."""

    code = "OTR-4041"
    default_advice = "List them with archive.snapshots()."


class NoSuchPoint(OtrError, LookupError):
    """There is no point in the direction asked."""

    code = "OTR-4010"
    default_advice = "Ask stream.earliest() and stream.latest() for the range that holds points."


class AmbiguousStream(OtrError, ValueError):
    """More than one stream matches, or the collection and tags of a new stream are taken."""

    code = "OTR-4180"
    default_advice = "Name the stream by its uuid, or give more tags."


class StreamExists(OtrError, ValueError):
    """A stream with that uuid exists."""

    code = "OTR-4170"
    default_advice = "Open it with archive.stream(uuid), or create with another uuid."


class RecycledUuid(OtrError, ValueError):
    """That uuid belonged to an obliterated stream and is never used again."""

    code = "OTR-4290"
    default_advice = "Create the stream with a new uuid."


class InvalidCollection(OtrError, ValueError):
    """A collection name breaks the rules."""

    code = "OTR-4070"
    default_advice = "A collection is 1 to 255 bytes of UTF-8 without NUL."


class InvalidTagKey(OtrError, ValueError):
    """The key of a tag or annotation breaks the rules."""

    code = "OTR-4080"
    default_advice = "A key is 1 to 63 of the characters a-z, 0-9, '_' and '.', and begins with a letter."


class InvalidTagValue(OtrError, ValueError):
    """The value of a tag or annotation breaks the rules."""

    code = "OTR-4090"
    default_advice = "A value is text of at most 255 characters without NUL."


class InvalidTimeRange(OtrError, ValueError):
    """A range is empty or reversed, or reaches outside the times an archive holds."""

    code = "OTR-4130"
    default_advice = "Ranges are [start, end) with MIN_TIME <= start < end <= MAX_TIME."


class NaiveTime(OtrError, ValueError):
    """A time without a time zone names no instant."""

    code = "OTR-4131"
    default_advice = (
        "Attach a zone: datetime(..., tzinfo=UTC), series.dt.tz_localize('UTC'), text ending in Z."
    )


class TimeOutOfRange(OtrError, ValueError):
    """A time lies outside what an archive holds: 1933-06-20 to 2079-08-08."""

    code = "OTR-4132"
    default_advice = "Times are nanoseconds since 1970 UTC from -2**60 to 3 * 2**60 - 2; check the unit."


class InsertTooBig(OtrError, ValueError):
    """One insert holds more points than the archive accepts at once."""

    code = "OTR-4140"
    default_advice = "Insert the points in several batches."


class InvalidPointWidth(OtrError, ValueError):
    """A pointwidth, window width or resolution is not one the archive can compute."""

    code = "OTR-4150"
    default_advice = "A pointwidth is a whole number from 0 to 62; a width is at least 1 ns."


class InvalidArgument(OtrError, ValueError):
    """An argument makes no sense."""

    code = "OTR-4210"


class MismatchedColumns(OtrError, ValueError):
    """Times and values do not pair up."""

    code = "OTR-4211"
    default_advice = "Give two columns of the same length, one time for each value."


class WrongKind(OtrError, TypeError):
    """A value is not of the stream's kind, and storing it would change it."""

    code = "OTR-4212"
    default_advice = "Convert the values, or create a stream of the kind they have."


class PropertyVersionMismatch(OtrError, ValueError):
    """Somebody changed the stream's metadata since the property version that was expected."""

    code = "OTR-4230"
    default_advice = "Read the metadata again, and repeat the update if it still applies."


class BadValue(OtrError, ValueError):
    """A value is NaN, infinite or missing. Nothing of its batch is stored."""

    code = "OTR-4250"
    default_advice = "Leave such points out before inserting."


class TooManyStreams(OtrError, RuntimeError):
    """More streams were created within a minute than the archive was opened to allow. Nothing was created."""

    code = "OTR-4260"
    default_advice = "Wait a minute. If they are wanted, open the archive with a larger new_streams."


class FellBehind(OtrError, RuntimeError):
    """More arrived for a subscription than it took, and than there is memory for. It was cut off."""

    code = "OTR-4261"
    default_advice = "Read what is stored, and subscribe again: taking faster, or with more memory."


class InvalidVersions(OtrError, ValueError):
    """A pair of versions is in the wrong order, or a version is no version number."""

    code = "OTR-4270"
    default_advice = "Versions count up from 10; give the older one first."


class InvalidArrow(OtrError, ValueError):
    """Arrow data that came over the network cannot be read, or are not of the columns that are expected."""

    code = "OTR-4380"
    default_advice = "Send one complete Arrow IPC stream, uncompressed, of the columns the call takes."


class BadQuery(OtrError, ValueError):
    """An SQL statement is not one that is answered, or asks for too much."""

    code = "OTR-4410"
    default_advice = "Ask one SELECT of the table streams, with parameters $1, $2 and so on."


class VersionNotAvailable(OtrError, LookupError):
    """That version has not been made yet, or has been pruned."""

    code = "OTR-4500"
    default_advice = "Ask stream.version for the latest."


class ClosedArchive(OtrError, RuntimeError):
    """The archive has been closed."""

    code = "OTR-5000"
    default_advice = "Open it again with otrdb.open(path)."


class ReadOnly(OtrError, PermissionError):
    """The archive is open for reading only, or the object read is a fixed version."""

    code = "OTR-5001"
    default_advice = "Open the archive with mode='w', and write to the stream itself."


class ArchiveLocked(OtrError, BlockingIOError, RuntimeError):
    """Another process writes this archive."""

    code = "OTR-5002"
    default_advice = "Close the other writer, or open with mode='r': readers may be many."


class NotAnArchive(OtrError, FileNotFoundError, ValueError):
    """The path holds no archive."""

    code = "OTR-5003"
    default_advice = "Check the path; mode='w' creates an archive in an empty or new directory."


class UnsupportedFormat(OtrError, ValueError):
    """The archive was written in a format this release does not read."""

    code = "OTR-5004"
    default_advice = "Use the release that wrote it, or a newer one."


class NotABackup(OtrError, FileNotFoundError, ValueError):
    """The directory holds no complete backup, or not one that can be gone on with: something else is there,
    or the backup of another archive, or of another history of the same archive."""

    code = "OTR-5005"
    default_advice = "Back up to a new or empty directory; every archive needs its own."


class Outdated(OtrError, RuntimeError):
    """This archive is open for reading, and its writer has given back files that were not read in time."""

    code = "OTR-5006"
    default_advice = "Open the archive again."


class Thinned(OtrError, ValueError):
    """Of some times only statistics are left, since their points were thinned. Nothing was changed.

    In ``[start, end)`` (ns) there are windows of ``2**pointwidth`` ns, aligned.
    """

    code = "OTR-5007"
    default_advice = "Ask for aligned windows that are wide enough, as zoom does, or for newer times."

    def __init__(
        self, message: str, *, advice: str | None = None, start: int = 0, end: int = 0, pointwidth: int = 0
    ) -> None:
        super().__init__(message, advice=advice)
        self.start = start
        self.end = end
        self.pointwidth = pointwidth


class Damaged(OtrError, OSError):
    """Stored bytes are not what was written. Everything that is not named here stays readable.

    `segment` and `offset` say where on disk; `stream` (uuid), `start` and `end` (ns, half-open) which points.
    Each is None where it is not known.
    """

    code = "OTR-5010"
    default_advice = "Copy the archive elsewhere before anything else, then run its check."

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        segment: int | None = None,
        offset: int | None = None,
        stream: UUID | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> None:
        super().__init__(message, advice=advice)
        self.segment = segment
        self.offset = offset
        self.stream = stream
        self.start = start
        self.end = end


class DiskFull(OtrError, OSError):
    """There is no room, or none to spare for new points. What was being written was taken back; what was
    acknowledged is safe."""

    code = "OTR-5020"
    default_advice = "Free some space and repeat the call; the archive stays open."


class WriteFailed(OtrError, OSError):
    """The disk refused a write or a sync, so what reached it is unknown. This handle writes no more."""

    code = "OTR-5021"
    default_advice = "Check the disk and its cable, then reopen the archive."


class MissingExtra(OtrError, ImportError):
    """An optional dependency is not installed."""

    code = "OTR-5030"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"This needs {package}.", advice=f"Install it with: pip install 'otrdb[{extra}]'")
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), (self.package, self.extra)


class Unreachable(OtrError, ConnectionError):
    """A server cannot be reached, broke off, or is none of OtrDB's.

    `fate_unknown` is whether the call was to change something and may have done so.
    """

    code = "OTR-5040"
    default_advice = "Check that `otrdb serve` runs there, host and port, and what is between."

    def __init__(self, message: str, *, advice: str | None = None, fate_unknown: bool = False) -> None:
        super().__init__(message, advice=advice)
        self.fate_unknown = fate_unknown


class TookTooLong(OtrError, TimeoutError):
    """A server did not answer in the time it was given. `fate_unknown` is as in `Unreachable`."""

    code = "OTR-5041"
    default_advice = "Ask for less at a time, or connect with a longer timeout."

    def __init__(self, message: str, *, advice: str | None = None, fate_unknown: bool = False) -> None:
        super().__init__(message, advice=advice)
        self.fate_unknown = fate_unknown


class AccessDenied(OtrError, PermissionError):
    """A server does not know the API key, or the key may not do this."""

    code = "OTR-5042"
    default_advice = "Connect with api_key= and a key of that server with the scope it takes."


class Overloaded(OtrError, RuntimeError):
    """A server has too much to do, or holds too much for its clients, and took nothing on."""

    code = "OTR-5043"
    default_advice = "Repeat the call after a while."


class InternalError(OtrError, RuntimeError):
    """The archive met a state that cannot be: a bug of ours, not of the caller."""

    code = "OTR-5990"
    default_advice = "This is our bug: please report it with the traceback."


def all_errors() -> Iterator[type[OtrError]]:
    """Every concrete error class, in the order of their codes (for the documentation and the doors).

    Example:
        >>> next(iter(all_errors())).__name__
        'NoSuchPoint'
    """
    return iter(sorted(OtrError.__subclasses__(), key=lambda leaf: leaf.code))
