"""What goes over the wire when something fails: BTrDB's codes (its clients know them by number)."""

from __future__ import annotations

from typing import Final

from otrdb import errors
from otrdb.wire import btrdb

CODES: Final[dict[type[errors.OtrError], int]] = {
    errors.ClosedArchive: 402,
    errors.ReadOnly: 447,
    errors.Outdated: 402,
    errors.Thinned: 454,
    errors.Damaged: 432,
    errors.DiskFull: 426,
    errors.WriteFailed: 434,
    errors.MissingExtra: 501,
    errors.Overloaded: 426,
}
"""The codes of errors that BTrDB has no condition for. All others carry their code in their own."""

INTERNAL: Final = 500


def code_of(error: errors.OtrError) -> int:
    """BTrDB's code of an error.

    Example:
        >>> code_of(errors.NoSuchStream("No stream 42."))
        404
    """
    known = CODES.get(type(error))
    if known is not None:
        return known
    number = int(error.code.removeprefix("OTR-"))
    return number // 10 if number < 5000 else INTERNAL


def failed(code: int, message: str) -> bytes:
    """The answer that says so: of any RPC, since `stat` is field 1 of all of them."""
    status = btrdb.Status(code=code, msg=message)
    return btrdb.CreateResponse(stat=status).SerializeToString()


def told(error: errors.OtrError) -> bytes:
    """The answer of a call that failed. A missing stream is told in BTrDB's words, which clients look for."""
    if isinstance(error, errors.NoSuchStream):
        return failed(code_of(error), "stream does not exist")
    return failed(code_of(error), str(error))
