"""Sizes and widths as people write them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_SIZE: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[kKMGT]i?)?B?")
_STEPS: Final = "KMGT"
_WIDTHS: Final = {"h": 3_600 * 10**9, "min": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def to_size(size: str | int) -> int:
    """Bytes, from a number and a unit of 1,000 (kB, MB, ...) or 1,024 (KiB, MiB, ...); else ValueError.

    Example:
        >>> to_size("64MiB"), to_size("1.5 GB"), to_size("4096")
        (67108864, 1500000000, 4096)
    """
    found = _SIZE.fullmatch(str(size))
    if found is None:
        raise ValueError(size)
    unit = found["unit"] or ""
    base = 1024 if unit.endswith("i") else 1000
    step = _STEPS.index(unit[0].upper()) + 1 if unit else 0
    return round(Fraction(found["number"]) * Fraction(base) ** step)


def format_size(size: int) -> str:
    """A size in the largest unit of 1,024 in which it is a whole number.

    Example:
        >>> format_size(64 << 20), format_size(1000)
        ('64MiB', '1000B')
    """
    step = 0
    while size and size % 1024 == 0 and step < len(_STEPS):
        size, step = size // 1024, step + 1
    return f"{size}{_STEPS[step - 1]}iB" if step else f"{size}B"


def format_width(width: int) -> str:
    """A width (ns) in the largest unit in which it is a whole number.

    Example:
        >>> format_width(90 * 10**9), format_width(1500)
        ('90s', '1500ns')
    """
    unit = next(name for name, length in _WIDTHS.items() if width % length == 0)
    return f"{width // _WIDTHS[unit]}{unit}"
