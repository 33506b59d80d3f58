"""Numbers as people read them."""

from __future__ import annotations

from typing import Final

_PREFIXES: Final = ("", "k", "M", "G", "T", "P", "E")
_STEP: Final = 1000.0


def figure(value: float | None, unit: str = "") -> str:
    """A value in four digits with its unit; "-" for none.

    Example:
        >>> figure(20.5, "C"), figure(123_456_789, "B"), figure(True)
        ('20.5 C', '123.5 MB', 'yes')
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit != "B" and abs(value) < 10 * _STEP:
        return f"{value:.4g} {unit}".rstrip()
    size, step = float(value), 0
    while abs(size) >= _STEP and step < len(_PREFIXES) - 1:
        size, step = size / _STEP, step + 1
    return f"{size:.4g} {_PREFIXES[step]}{unit}".rstrip()
