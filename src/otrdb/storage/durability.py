"""How safe a point is when it is acknowledged."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias, cast

from otrdb.errors import InvalidArgument, OtrError
from otrdb.times import to_width

Mode: TypeAlias = Literal["sync", "interval", "off"]

_DEFAULT_INTERVAL: Final = "100ms"
_ADVICE: Final = "Give 'sync', 'interval', 'interval=250ms' (1ms to 1h) or 'off'."


class Durability(NamedTuple):
    """A parsed durability setting.

    sync: an acknowledged point survives a power cut. interval: it does once ``interval_s`` and a sync have
    passed; until then it is in the process's memory. off: it is handed to the system, which survives the
    process but not a power cut.
    """

    mode: Mode
    interval_s: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Durability:
        """Read a setting as `otrdb.open` takes it.

        Example:
            >>> Durability.parse("interval=250ms")
            Durability(mode='interval', interval_s=0.25)

        Raises:
            InvalidArgument: it is not one.
        """
        mode, given, width = text.partition("=")
        if mode not in ("sync", "interval", "off") or (given and mode != "interval"):
            raise InvalidArgument(f"{text!r} is no durability.", advice=_ADVICE)
        if mode != "interval":
            return cls(cast("Mode", mode))
        try:
            seconds = to_width(width if given else _DEFAULT_INTERVAL) / 1e9
        except OtrError as error:
            raise InvalidArgument(f"{text!r} is no durability.", advice=_ADVICE) from error
        if not 0.001 <= seconds <= 3600:
            raise InvalidArgument(f"{text!r} is no useful interval.", advice=_ADVICE)
        return cls("interval", seconds)
