"""The library's errors on the wire: the same class, code, sentence and fields arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from otrdb.errors import InternalError, MissingExtra, OtrError, Overloaded, all_errors
from otrdb.wire import otrdb as wire

if TYPE_CHECKING:
    from otrdb.wire.otrdb import Failure

_CLASSES: Final = {leaf.code: leaf for leaf in all_errors()}
_NUMBERS: Final = ("start", "end", "pointwidth", "segment", "offset")
_SHED: Final = 426
_BUG: Final = 500


def failure(error: OtrError) -> Failure:
    """The message that tells of an error.

    Example:
        >>> from otrdb.errors import Thinned
        >>> told = failure(Thinned("Points were thinned.", start=5, end=9, pointwidth=2))
        >>> raised(told).start, raised(told).code
        (5, 'OTR-5007')
    """
    told = wire.Failure(message=error.message, error=error.code, advice=error.advice)
    for name in (*_NUMBERS, "package", "extra"):
        value = getattr(error, name, None)
        if value is not None:
            setattr(told, name, value)
    stream = getattr(error, "stream", None)
    if stream is not None:
        told.stream = stream.bytes
    return told


def raised(told: Failure) -> Any:  # noqa: ANN401
    """The error that a message tells of, to be raised."""
    if not told.error:
        return _refused(told.code, told.message)
    leaf = _CLASSES.get(told.error)
    if leaf is None:  # a newer server has more of them
        return OtrError(f"{told.error}: {told.message}", advice=told.advice)
    if leaf is MissingExtra:
        return MissingExtra(told.package, told.extra)
    return leaf(told.message, advice=told.advice, **_fields(told))


def _fields(told: Failure) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(told, name) for name in _NUMBERS if told.HasField(name)}
    if told.HasField("stream"):
        fields["stream"] = UUID(bytes=told.stream)
    return fields


def _refused(code: int, message: str) -> OtrError:
    """What the server said before it asked the archive: a number of BTrDB, the advice in the message."""
    if code == _SHED:
        return Overloaded(message, advice="")
    leaf = _CLASSES.get(f"OTR-{code}0") if code < _BUG else None
    return (leaf or InternalError)(message, advice="")
