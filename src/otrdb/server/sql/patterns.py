"""LIKE and ILIKE as PostgreSQL has them."""

from __future__ import annotations

import re
from functools import lru_cache


def like(pattern: object, text: object, escape: object = "\\", *, ignore_case: bool = False) -> bool | None:
    """Whether all of ``text`` fits ``pattern``, in which `%` is any text, `_` any character, and what follows
    ``escape`` itself. None if one of them is None.

    Example:
        >>> like("plant/%", "plant/line1"), like("PLANT", "plant"), like("PLANT", "plant", ignore_case=True)
        (True, False, True)
    """
    if pattern is None or text is None or escape is None:
        return None
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return _compiled(_text(pattern), _text(escape), flags).fullmatch(_text(text)) is not None


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@lru_cache(maxsize=64)
def _compiled(pattern: str, escape: str, flags: int) -> re.Pattern[str]:
    head, *others = _parts(pattern, escape)
    if not others:
        return re.compile(head, flags)
    # What stands between two `%` is looked for once, never elsewhere if the rest then fails: no more can be
    # gained, and the cost stays at length times length.
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{head}{between}.*{others[-1]}", flags)


def _parts(pattern: str, escape: str) -> list[str]:
    """Expressions for what stands before, between and after each `%`."""
    parts = [""]
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            parts[-1] += re.escape(next(characters, escape))
        elif character == "%":
            parts.append("")
        else:
            parts[-1] += "." if character == "_" else re.escape(character)
    return parts
